/* What is computed under keys, whole or in parts. */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"

static CK_RV takeIv(struct operation *operation, const void *iv, CK_ULONG length) {
  if (iv == NULL || length == 0 || length > LONGEST_IV) {
    return CKR_MECHANISM_PARAM_INVALID;
  }
  memcpy(operation->iv, iv, length);
  operation->ivLength = length;
  return CKR_OK;
}

static CK_RV takeGcm(struct operation *operation, CK_BYTE *iv, CK_ULONG ivLength, const void *aad,
                     CK_ULONG aadLength, CK_ULONG tagBits) {
  if (tagBits % 8 != 0 || tagBits < 32 || tagBits > 128 || (aadLength > 0 && aad == NULL)) {
    return CKR_MECHANISM_PARAM_INVALID;
  }
  operation->tagLength = tagBits / 8;
  operation->ivBack = iv;
  if (aadLength > 0) {
    operation->aad = malloc(aadLength);
    if (operation->aad == NULL) {
      return CKR_HOST_MEMORY;
    }
    memcpy(operation->aad, aad, aadLength);
    operation->aadLength = aadLength;
  }
  return takeIv(operation, iv, ivLength);
}

static CK_RV takeGcmParameters(const struct slot *slot, struct operation *operation,
                               const CK_MECHANISM *given) {
  if (given->pParameter != NULL && given->ulParameterLen == sizeof(CK_GCM_PARAMS)
      && slot->gcmLayout != 230) {
    const CK_GCM_PARAMS *gcm = given->pParameter;
    return takeGcm(operation, gcm->pIv, gcm->ulIvLen, gcm->pAAD, gcm->ulAADLen, gcm->ulTagBits);
  }
  if (given->pParameter != NULL && given->ulParameterLen == sizeof(CK_GCM_PARAMS_230)
      && slot->gcmLayout != 240) {
    const CK_GCM_PARAMS_230 *gcm = given->pParameter;
    return takeGcm(operation, gcm->pIv, gcm->ulIvLen, gcm->pAAD, gcm->ulAADLen, gcm->ulTagBits);
  }
  return CKR_MECHANISM_PARAM_INVALID;
}

static CK_RV takeCounter(struct operation *operation, const CK_MECHANISM *given) {
  if (given->pParameter != NULL && given->ulParameterLen == sizeof(CK_AES_CTR_PARAMS)) {
    return takeIv(operation, ((const CK_AES_CTR_PARAMS *)given->pParameter)->cb, BLOCK);
  }
  return given->ulParameterLen == BLOCK ? takeIv(operation, given->pParameter, BLOCK)
                                        : (CK_RV)CKR_MECHANISM_PARAM_INVALID;
}

static CK_RV takeMacLength(struct operation *operation, const CK_MECHANISM *given) {
  CK_ULONG length = 0;
  if (given->pParameter != NULL && given->ulParameterLen == sizeof length) {
    memcpy(&length, given->pParameter, sizeof length);
  }
  operation->tagLength = length;
  return length > 0 && length <= BLOCK ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}

static CK_RV takeParameters(const struct slot *slot, struct operation *operation,
                            const CK_MECHANISM *given) {
  switch (operation->mode) {
    case GCM: return takeGcmParameters(slot, operation, given);
    case CTR: return takeCounter(operation, given);
    case CBC:
    case CBC_PAD:
      return given->ulParameterLen == BLOCK ? takeIv(operation, given->pParameter, BLOCK)
                                            : (CK_RV)CKR_MECHANISM_PARAM_INVALID;
    case CBC_MAC_GENERAL: return takeMacLength(operation, given);
    case CBC_MAC: return operation->tagLength = BLOCK / 2, CKR_OK;
    case CMAC: return operation->tagLength = BLOCK, CKR_OK;
    case HMAC_SHA256:
    case HMAC_SM3: return operation->tagLength = 32, CKR_OK;
    default: return CKR_OK;
  }
}

/*
 * Some tokens take no IV from the host. Where the caller reads it depends on the vendor; at the end
 * needs parameters that live as long, which those of SunPKCS11 do not.
 */
static CK_RV makeOwnIv(const struct slot *slot, struct operation *operation,
                       enum purpose purpose) {
  if (operation->mode != GCM || slot->ownIv == NO_OWN_IV || purpose != ENCRYPT) {
    operation->ivBack = NULL;
    return CKR_OK;
  }
  if (!RAND_bytes(operation->iv, (int)operation->ivLength)) {
    return CKR_FUNCTION_FAILED;
  }
  operation->appendIv = slot->ownIv == APPENDED;
  if (slot->ownIv == WRITTEN_AT_INIT) {
    memcpy(operation->ivBack, operation->iv, operation->ivLength);
  }
  if (slot->ownIv != WRITTEN_AT_END) {
    operation->ivBack = NULL;
  }
  return CKR_OK;
}

static bool allowed(const struct key *key, enum purpose purpose) {
  return purpose == ENCRYPT   ? key->encrypt
         : purpose == DECRYPT ? key->decrypt
         : purpose == SIGN    ? key->sign
                              : key->verify;
}

static CK_RV keyFor(const struct slot *slot, const struct mechanism *mechanism,
                    enum purpose purpose, CK_ULONG handle, const struct key **key) {
  static const CK_ULONG flags[] = {CKF_ENCRYPT, CKF_DECRYPT, CKF_SIGN, CKF_VERIFY};
  *key = keyOf(slot, handle);
  if (mechanism == NULL || !(mechanism->flags & flags[purpose])) return CKR_MECHANISM_INVALID;
  if (*key == NULL) return CKR_KEY_HANDLE_INVALID;
  if (!visible(slot, *key)) return CKR_USER_NOT_LOGGED_IN;
  if (mechanism->cipher != (*key)->cipher) return CKR_KEY_TYPE_INCONSISTENT;
  if (!validLength(*key)) return CKR_KEY_SIZE_RANGE;
  return allowed(*key, purpose) ? CKR_OK : CKR_KEY_FUNCTION_NOT_PERMITTED;
}

/* A mechanism that is null ends the operation, as some hosts ask for. */
static CK_RV begin(CK_ULONG handle, const CK_MECHANISM *given, CK_ULONG object,
                   enum purpose purpose) {
  SESSION(handle)
  struct operation *operation = &session->operations[purpose];
  if (given == NULL) {
    clearOperation(operation);
    return CKR_OK;
  }
  if (operation->active) {
    return CKR_OPERATION_ACTIVE;
  }
  const struct mechanism *mechanism = mechanismOf(session->slot, given->mechanism);
  const struct key *key;
  CK_RV result = keyFor(session->slot, mechanism, purpose, object, &key);
  if (result != CKR_OK) {
    return result;
  }
  operation->active = true;
  operation->cipher = key->cipher;
  operation->mode = mechanism->mode;
  operation->keyLength = key->valueLength;
  memcpy(operation->key, key->value, key->valueLength);
  result = takeParameters(session->slot, operation, given);
  if (result == CKR_OK) {
    result = makeOwnIv(session->slot, operation, purpose);
  }
  if (result != CKR_OK) {
    clearOperation(operation);
  }
  return result;
}

/* Takes the operation out of the session, so that nothing else touches it while it computes. */
static CK_RV takeOperation(struct session *session, struct operation *into,
                           enum purpose purpose) {
  struct operation *operation = &session->operations[purpose];
  if (!operation->active) {
    return CKR_OPERATION_NOT_INITIALIZED;
  }
  *into = *operation;
  OPENSSL_cleanse(operation, sizeof *operation);
  return CKR_OK;
}

/* Puts it back for another try, unless its session died meanwhile. */
static void putBack(CK_ULONG handle, struct operation *operation, enum purpose purpose) {
  struct session *session;
  if (sessionOf(handle, &session) == CKR_OK) {
    session->operations[purpose] = *operation;
    OPENSSL_cleanse(operation, sizeof *operation);
  } else {
    clearOperation(operation);
  }
}

static CK_RV checkLength(const struct slot *slot, const struct operation *operation,
                         enum purpose purpose, size_t length) {
  size_t tag = purpose == DECRYPT && operation->mode == GCM ? operation->tagLength : 0;
  if (slot->textLimit == 0 || length <= slot->textLimit + tag) {
    return CKR_OK;
  }
  return purpose == DECRYPT ? CKR_ENCRYPTED_DATA_LEN_RANGE : CKR_DATA_LEN_RANGE;
}

/* What encrypt, decrypt or mac says, with the lock given away meanwhile. */
static CK_RV compute(const struct operation *operation, enum purpose purpose, CK_RV tagError,
                     const CK_BYTE *text, size_t length, CK_BYTE *work, size_t *workLength) {
  pthread_mutex_unlock(&state.lock);
  CK_RV result;
  if (purpose == ENCRYPT) {
    result = encrypt(operation, text, length, work, workLength);
  } else if (purpose == DECRYPT) {
    result = decrypt(operation, text, length, work, workLength, tagError);
  } else {
    result = mac(operation, text, length, work);
    *workLength = operation->tagLength;
  }
  pthread_mutex_lock(&state.lock);
  return result;
}

static size_t roomFor(const struct operation *operation, enum purpose purpose, size_t length) {
  if (purpose == SIGN || purpose == VERIFY) {
    return operation->tagLength;
  }
  if (purpose == DECRYPT) {
    return operation->mode == GCM && length >= operation->tagLength ? length - operation->tagLength
                                                                    : length;
  }
  if (operation->mode == CBC_PAD) {
    return length + BLOCK - length % BLOCK;
  }
  return operation->mode == GCM ? outputBound(operation, length) : length;
}

/* Ends an operation over a whole text; "out" may be null to ask for the length. */
static CK_RV end(CK_ULONG handle, enum purpose purpose, const CK_BYTE *text, size_t length,
                 CK_BYTE *out, CK_ULONG *outLength) {
  SESSION(handle)
  struct operation operation;
  CK_RV result = takeOperation(session, &operation, purpose);
  if (result != CKR_OK) {
    return result;
  }
  if (out == NULL) {
    *outLength = roomFor(&operation, purpose, length);
    putBack(handle, &operation, purpose);
    return CKR_OK;
  }
  result = checkLength(session->slot, &operation, purpose, length);
  CK_RV tagError = session->slot->tagError;
  size_t workLength = 0;
  size_t bound = outputBound(&operation, length) + LONGEST_MAC;
  CK_BYTE *work = result == CKR_OK ? calloc(1, bound) : NULL;
  if (work != NULL) {
    result = compute(&operation, purpose, tagError, text, length, work, &workLength);
    if (result == CKR_OK && workLength > *outLength) {
      *outLength = workLength;
      putBack(handle, &operation, purpose);
      OPENSSL_cleanse(work, bound);
      free(work);
      return CKR_BUFFER_TOO_SMALL;
    }
    if (result == CKR_OK) {
      memcpy(out, work, workLength);
      *outLength = workLength;
    }
    if (result == CKR_OK && operation.ivBack != NULL) {
      memcpy(operation.ivBack, operation.iv, operation.ivLength);
    }
    OPENSSL_cleanse(work, bound);
    free(work);
  }
  clearOperation(&operation);
  return result;
}

/* Parts are kept until the end: the standard lets a token give its output as late as it likes. */
static CK_RV append(CK_ULONG handle, enum purpose purpose, const CK_BYTE *part, size_t length) {
  SESSION(handle)
  struct operation *operation = &session->operations[purpose];
  if (!operation->active) {
    return CKR_OPERATION_NOT_INITIALIZED;
  }
  CK_BYTE *more = realloc(operation->text, operation->textLength + length + 1);
  if (more == NULL) {
    return CKR_HOST_MEMORY;
  }
  if (length > 0) {
    memcpy(more + operation->textLength, part, length);
  }
  operation->text = more;
  operation->textLength += length;
  return CKR_OK;
}

/* Ends an operation over the parts given so far. */
static CK_RV endParts(CK_ULONG handle, enum purpose purpose, CK_BYTE *out, CK_ULONG *outLength) {
  SESSION(handle)
  struct operation *operation = &session->operations[purpose];
  if (!operation->active) {
    return CKR_OPERATION_NOT_INITIALIZED;
  }
  CK_BYTE *text = operation->text;
  size_t length = operation->textLength;
  if (out == NULL) {
    return end(handle, purpose, text, length, out, outLength);
  }
  operation->text = NULL;
  operation->textLength = 0;
  CK_RV result = end(handle, purpose, text, length, out, outLength);
  if (result == CKR_BUFFER_TOO_SMALL && sessionOf(handle, &session) == CKR_OK) {
    session->operations[purpose].text = text;
    session->operations[purpose].textLength = length;
  } else if (text != NULL) {
    OPENSSL_cleanse(text, length);
    free(text);
  }
  return result;
}

static CK_RV verify(CK_ULONG handle, const CK_BYTE *text, size_t length, const CK_BYTE *signature,
                    CK_ULONG signatureLength) {
  CK_BYTE expected[LONGEST_MAC];
  CK_ULONG expectedLength = sizeof expected;
  CK_RV result = end(handle, VERIFY, text, length, expected, &expectedLength);
  if (result != CKR_OK) {
    return result;
  }
  if (expectedLength != signatureLength) {
    return CKR_SIGNATURE_LEN_RANGE;
  }
  return CRYPTO_memcmp(expected, signature, expectedLength) == 0 ? CKR_OK : CKR_SIGNATURE_INVALID;
}

static void abandon(CK_ULONG handle, enum purpose purpose) {
  struct session *session;
  pthread_mutex_lock(&state.lock);
  if (sessionOf(handle, &session) == CKR_OK) {
    clearOperation(&session->operations[purpose]);
  }
  pthread_mutex_unlock(&state.lock);
}

CALL(C_EncryptInit, (CK_ULONG handle, CK_MECHANISM *mechanism, CK_ULONG key),
     (handle, mechanism, key)) {
  return begin(handle, mechanism, key, ENCRYPT);
}

STEP(C_Encrypt, ENCRYPT,
     (CK_ULONG handle, CK_BYTE *text, CK_ULONG length, CK_BYTE *out, CK_ULONG *outLength),
     (handle, text, length, out, outLength)) {
  return end(handle, ENCRYPT, text, length, out, outLength);
}

STEP(C_EncryptUpdate, ENCRYPT,
     (CK_ULONG handle, CK_BYTE *part, CK_ULONG length, CK_BYTE *out, CK_ULONG *outLength),
     (handle, part, length, out, outLength)) {
  (void)out;
  *outLength = 0;
  return append(handle, ENCRYPT, part, length);
}

STEP(C_EncryptFinal, ENCRYPT, (CK_ULONG handle, CK_BYTE *out, CK_ULONG *outLength),
     (handle, out, outLength)) {
  return endParts(handle, ENCRYPT, out, outLength);
}

CALL(C_DecryptInit, (CK_ULONG handle, CK_MECHANISM *mechanism, CK_ULONG key),
     (handle, mechanism, key)) {
  return begin(handle, mechanism, key, DECRYPT);
}

STEP(C_Decrypt, DECRYPT,
     (CK_ULONG handle, CK_BYTE *text, CK_ULONG length, CK_BYTE *out, CK_ULONG *outLength),
     (handle, text, length, out, outLength)) {
  return end(handle, DECRYPT, text, length, out, outLength);
}

STEP(C_DecryptUpdate, DECRYPT,
     (CK_ULONG handle, CK_BYTE *part, CK_ULONG length, CK_BYTE *out, CK_ULONG *outLength),
     (handle, part, length, out, outLength)) {
  (void)out;
  *outLength = 0;
  return append(handle, DECRYPT, part, length);
}

STEP(C_DecryptFinal, DECRYPT, (CK_ULONG handle, CK_BYTE *out, CK_ULONG *outLength),
     (handle, out, outLength)) {
  return endParts(handle, DECRYPT, out, outLength);
}

CALL(C_SignInit, (CK_ULONG handle, CK_MECHANISM *mechanism, CK_ULONG key),
     (handle, mechanism, key)) {
  return begin(handle, mechanism, key, SIGN);
}

STEP(C_Sign, SIGN,
     (CK_ULONG handle, CK_BYTE *text, CK_ULONG length, CK_BYTE *out, CK_ULONG *outLength),
     (handle, text, length, out, outLength)) {
  return end(handle, SIGN, text, length, out, outLength);
}

STEP(C_SignUpdate, SIGN, (CK_ULONG handle, CK_BYTE *part, CK_ULONG length),
     (handle, part, length)) {
  return append(handle, SIGN, part, length);
}

STEP(C_SignFinal, SIGN, (CK_ULONG handle, CK_BYTE *out, CK_ULONG *outLength),
     (handle, out, outLength)) {
  return endParts(handle, SIGN, out, outLength);
}

CALL(C_VerifyInit, (CK_ULONG handle, CK_MECHANISM *mechanism, CK_ULONG key),
     (handle, mechanism, key)) {
  return begin(handle, mechanism, key, VERIFY);
}

STEP(C_Verify, VERIFY,
     (CK_ULONG handle, CK_BYTE *text, CK_ULONG length, CK_BYTE *signature,
      CK_ULONG signatureLength),
     (handle, text, length, signature, signatureLength)) {
  return verify(handle, text, length, signature, signatureLength);
}

CALL(C_SeedRandom, (CK_ULONG handle, CK_BYTE *seed, CK_ULONG length), (handle, seed, length)) {
  SESSION(handle)
  RAND_seed(seed, (int)length);
  return CKR_OK;
}

CALL(C_GenerateRandom, (CK_ULONG handle, CK_BYTE *out, CK_ULONG length), (handle, out, length)) {
  SESSION(handle)
  return RAND_bytes(out, (int)length) ? CKR_OK : CKR_FUNCTION_FAILED;
}

void offerOperations(CK_FUNCTION_LIST *list) {
  OFFER(C_EncryptInit) OFFER(C_Encrypt) OFFER(C_EncryptUpdate) OFFER(C_EncryptFinal)
  OFFER(C_DecryptInit) OFFER(C_Decrypt) OFFER(C_DecryptUpdate) OFFER(C_DecryptFinal)
  OFFER(C_SignInit) OFFER(C_Sign) OFFER(C_SignUpdate) OFFER(C_SignFinal) OFFER(C_VerifyInit)
  OFFER(C_Verify) OFFER(C_SeedRandom) OFFER(C_GenerateRandom)
}
