#include "ciphers.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/modes.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

static const EVP_CIPHER *sm4(enum mode mode) {
  switch (mode) {
    case CBC:
    case CBC_PAD:
      return EVP_sm4_cbc();
    case CTR:
      return EVP_sm4_ctr();
    default:
      return EVP_sm4_ecb();
  }
}

static const EVP_CIPHER *aes(enum mode mode, size_t keyLength) {
  int size = keyLength == 16 ? 0 : keyLength == 24 ? 1 : 2;
  switch (mode) {
    case CBC:
    case CBC_PAD:
      return size == 0 ? EVP_aes_128_cbc() : size == 1 ? EVP_aes_192_cbc() : EVP_aes_256_cbc();
    case CTR:
      return size == 0 ? EVP_aes_128_ctr() : size == 1 ? EVP_aes_192_ctr() : EVP_aes_256_ctr();
    default:
      return size == 0 ? EVP_aes_128_ecb() : size == 1 ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
  }
}

/* A context ready for the operation's key; the caller frees it. */
static EVP_CIPHER_CTX *keyed(const struct operation *operation, enum mode mode, bool encrypting) {
  const EVP_CIPHER *cipher =
      operation->cipher == SM4 ? sm4(mode) : aes(mode, operation->keyLength);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (context != NULL
      && EVP_CipherInit_ex(context, cipher, NULL, operation->key,
                           mode == ECB ? NULL : operation->iv, encrypting)) {
    EVP_CIPHER_CTX_set_padding(context, mode == CBC_PAD);
    return context;
  }
  EVP_CIPHER_CTX_free(context);
  return NULL;
}

static CK_RV crypt(const struct operation *operation, bool encrypting, const CK_BYTE *text,
                   size_t length, CK_BYTE *out, size_t *outLength) {
  bool whole = operation->mode == CTR || (operation->mode == CBC_PAD && encrypting);
  if (!whole && length % BLOCK != 0) {
    return encrypting ? CKR_DATA_LEN_RANGE : CKR_ENCRYPTED_DATA_LEN_RANGE;
  }
  EVP_CIPHER_CTX *context = keyed(operation, operation->mode, encrypting);
  if (context == NULL) {
    return CKR_FUNCTION_FAILED;
  }
  int first = 0;
  int last = 0;
  bool done = EVP_CipherUpdate(context, out, &first, text, (int)length)
              && EVP_CipherFinal_ex(context, out + first, &last);
  EVP_CIPHER_CTX_free(context);
  *outLength = (size_t)(first + last);
  return done ? CKR_OK : encrypting ? CKR_FUNCTION_FAILED : CKR_ENCRYPTED_DATA_INVALID;
}

/* The block cipher for libcrypto's GCM, which knows no SM4-GCM but builds GCM on any block. */
static void block(const unsigned char in[BLOCK], unsigned char out[BLOCK], const void *key) {
  int written;
  EVP_EncryptUpdate((EVP_CIPHER_CTX *)key, out, &written, in, BLOCK);
}

static CK_RV gcm(const struct operation *operation, bool encrypting, const CK_BYTE *text,
                 size_t length, CK_BYTE *out, CK_BYTE *tag, CK_RV tagError) {
  EVP_CIPHER_CTX *context = keyed(operation, ECB, true);
  GCM128_CONTEXT *gcm = context == NULL ? NULL : CRYPTO_gcm128_new(context, block);
  if (gcm == NULL) {
    EVP_CIPHER_CTX_free(context);
    return CKR_HOST_MEMORY;
  }
  CK_RV result = CKR_OK;
  CRYPTO_gcm128_setiv(gcm, operation->iv, operation->ivLength);
  CRYPTO_gcm128_aad(gcm, operation->aad, operation->aadLength);
  if (encrypting) {
    CRYPTO_gcm128_encrypt(gcm, text, out, length);
    CRYPTO_gcm128_tag(gcm, tag, operation->tagLength);
  } else {
    CRYPTO_gcm128_decrypt(gcm, text, out, length);
    if (CRYPTO_gcm128_finish(gcm, tag, operation->tagLength) != 0) {
      OPENSSL_cleanse(out, length);
      result = tagError;
    }
  }
  CRYPTO_gcm128_release(gcm);
  EVP_CIPHER_CTX_free(context);
  return result;
}

size_t outputBound(const struct operation *operation, size_t length) {
  return length + (operation->mode == GCM ? operation->tagLength : BLOCK)
         + (operation->appendIv ? BLOCK : 0);
}

CK_RV encrypt(const struct operation *operation, const CK_BYTE *text, size_t length, CK_BYTE *out,
              size_t *outLength) {
  if (operation->mode != GCM) {
    return crypt(operation, true, text, length, out, outLength);
  }
  CK_RV result = gcm(operation, true, text, length, out, out + length, CKR_OK);
  *outLength = length + operation->tagLength;
  if (operation->appendIv) {
    memset(out + *outLength, 0, BLOCK);
    size_t shown = operation->ivLength < BLOCK ? operation->ivLength : BLOCK;
    memcpy(out + *outLength, operation->iv, shown);
    *outLength += BLOCK;
  }
  return result;
}

CK_RV decrypt(const struct operation *operation, const CK_BYTE *text, size_t length, CK_BYTE *out,
              size_t *outLength, CK_RV tagError) {
  if (operation->mode != GCM) {
    return crypt(operation, false, text, length, out, outLength);
  }
  if (length < operation->tagLength) {
    return CKR_ENCRYPTED_DATA_LEN_RANGE;
  }
  *outLength = length - operation->tagLength;
  CK_BYTE tag[BLOCK];
  memcpy(tag, text + *outLength, operation->tagLength);
  return gcm(operation, false, text, *outLength, out, tag, tagError);
}

static const char *cbcName(const struct operation *operation) {
  return operation->cipher == SM4         ? "SM4-CBC"
         : operation->keyLength == 16     ? "AES-128-CBC"
         : operation->keyLength == 24     ? "AES-192-CBC"
                                          : "AES-256-CBC";
}

static CK_RV cmac(const struct operation *operation, const CK_BYTE *text, size_t length,
                  CK_BYTE *out) {
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, (char *)cbcName(operation), 0),
      OSSL_PARAM_construct_end()};
  EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "CMAC", NULL);
  EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithm);
  size_t written = 0;
  bool done = EVP_MAC_init(context, operation->key, operation->keyLength, parameters)
              && EVP_MAC_update(context, text, length)
              && EVP_MAC_final(context, out, &written, BLOCK);
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(algorithm);
  return done && written == BLOCK ? CKR_OK : CKR_FUNCTION_FAILED;
}

static CK_RV cbcMac(const struct operation *operation, const CK_BYTE *text, size_t length,
                    CK_BYTE *out) {
  size_t padded = (length + BLOCK - 1) / BLOCK * BLOCK;
  padded = padded == 0 ? BLOCK : padded;
  CK_BYTE *work = calloc(2, padded);
  if (work == NULL) {
    return CKR_HOST_MEMORY;
  }
  if (length > 0) {
    memcpy(work, text, length);
  }
  struct operation cbc = *operation;
  cbc.mode = CBC;
  memset(cbc.iv, 0, BLOCK);
  size_t written = 0;
  CK_RV result = crypt(&cbc, true, work, padded, work + padded, &written);
  memcpy(out, work + 2 * padded - BLOCK, BLOCK);
  OPENSSL_cleanse(&cbc, sizeof cbc);
  free(work);
  return result;
}

static CK_RV hmac(const struct operation *operation, const CK_BYTE *text, size_t length,
                  CK_BYTE *out) {
  const EVP_MD *digest = operation->mode == HMAC_SM3 ? EVP_sm3() : EVP_sha256();
  unsigned int written = 0;
  static const CK_BYTE nothing[1];
  return HMAC(digest, operation->key, (int)operation->keyLength, length == 0 ? nothing : text,
              length, out, &written)
                 != NULL
             ? CKR_OK
             : CKR_FUNCTION_FAILED;
}

CK_RV mac(const struct operation *operation, const CK_BYTE *text, size_t length, CK_BYTE *out) {
  CK_BYTE whole[LONGEST_MAC] = {0};
  CK_RV result;
  switch (operation->mode) {
    case CMAC:
      result = cmac(operation, text, length, whole);
      break;
    case HMAC_SHA256:
    case HMAC_SM3:
      result = hmac(operation, text, length, whole);
      break;
    default:
      result = cbcMac(operation, text, length, whole);
  }
  memcpy(out, whole, operation->tagLength);
  return result;
}
