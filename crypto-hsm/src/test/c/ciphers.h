/* AES and SM4 in the modes that tokens offer, on OpenSSL's libcrypto. */
#ifndef LEDGERKEEP_CIPHERS_H
#define LEDGERKEEP_CIPHERS_H

#include <stdbool.h>
#include <stddef.h>

#include "cryptoki.h"

enum cipher { AES, SM4, GENERIC };

enum mode {
  KEY_GEN,
  ECB,
  CBC,
  CBC_PAD,
  CTR,
  GCM,
  CMAC,
  CBC_MAC,         /* half a block, the last block of CBC under zero padding */
  CBC_MAC_GENERAL, /* as many bytes of it as the parameter says */
  HMAC_SHA256,
  HMAC_SM3
};

#define BLOCK 16
#define LONGEST_KEY 64
#define LONGEST_IV 256
#define LONGEST_MAC 32

/* One operation: all that its Init was given, copied. */
struct operation {
  bool active;
  enum cipher cipher;
  enum mode mode;
  CK_BYTE key[LONGEST_KEY];
  size_t keyLength;
  CK_BYTE iv[LONGEST_IV];
  size_t ivLength;
  CK_BYTE *aad;
  size_t aadLength;
  size_t tagLength; /* of a GCM tag or of a MAC */
  CK_BYTE *ivBack;  /* where the caller wants to read the IV that the token made, or null */
  bool appendIv;    /* the token makes the IV and puts it, 16 bytes long, behind the tag */
  CK_BYTE *text;    /* what came by Update so far */
  size_t textLength;
};

/* The most that encrypt or decrypt writes for a text of that length. */
size_t outputBound(const struct operation *operation, size_t length);

/* Both write at most outputBound bytes and say how many. */
CK_RV encrypt(const struct operation *operation, const CK_BYTE *text, size_t length, CK_BYTE *out,
              size_t *outLength);
CK_RV decrypt(const struct operation *operation, const CK_BYTE *text, size_t length, CK_BYTE *out,
              size_t *outLength, CK_RV tagError);

/* Writes operation->tagLength bytes. */
CK_RV mac(const struct operation *operation, const CK_BYTE *text, size_t length, CK_BYTE *out);

#endif
