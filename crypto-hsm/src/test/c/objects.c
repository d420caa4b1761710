/* Keys as objects: made, found, looked at, taken away. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"

/* An attribute's value; false where a key has none of that type. */
static bool attribute(const struct key *key, CK_ULONG type, const void **value, size_t *length) {
  static _Thread_local CK_ULONG number;
  static _Thread_local CK_BYTE flag;
  *value = &flag;
  *length = sizeof flag;
  switch (type) {
    case CKA_CLASS: return number = CKO_SECRET_KEY, *value = &number, *length = sizeof number, true;
    case CKA_KEY_TYPE: return number = key->type, *value = &number, *length = sizeof number, true;
    case CKA_VALUE_LEN:
      return number = key->valueLength, *value = &number, *length = sizeof number, true;
    case CKA_LABEL: return *value = key->label, *length = key->labelLength, true;
    case CKA_ID: return *value = key->id, *length = key->idLength, true;
    case CKA_VALUE: return *value = key->value, *length = key->valueLength, true;
    case CKA_TOKEN: return flag = key->owner == 0, true;
    case CKA_PRIVATE: return flag = key->private, true;
    case CKA_SENSITIVE: return flag = key->sensitive, true;
    case CKA_EXTRACTABLE: return flag = key->extractable, true;
    case CKA_ALWAYS_SENSITIVE: return flag = key->alwaysSensitive, true;
    case CKA_NEVER_EXTRACTABLE: return flag = key->neverExtractable, true;
    case CKA_LOCAL: return flag = key->local, true;
    case CKA_ENCRYPT: return flag = key->encrypt, true;
    case CKA_DECRYPT: return flag = key->decrypt, true;
    case CKA_SIGN: return flag = key->sign, true;
    case CKA_VERIFY: return flag = key->verify, true;
    case CKA_MODIFIABLE: return flag = 1, true;
    case CKA_WRAP:
    case CKA_UNWRAP:
    case CKA_DERIVE: return flag = 0, true;
    default: return false;
  }
}

static CK_RV readAttribute(const struct key *key, CK_ATTRIBUTE *wanted) {
  const void *value;
  size_t length;
  CK_ULONG room = wanted->ulValueLen;
  wanted->ulValueLen = CK_UNAVAILABLE;
  if (wanted->type == CKA_VALUE && (key->sensitive || !key->extractable)) {
    return CKR_ATTRIBUTE_SENSITIVE;
  }
  if (!attribute(key, wanted->type, &value, &length)) {
    return CKR_ATTRIBUTE_TYPE_INVALID;
  }
  if (wanted->pValue != NULL && room < length) {
    return CKR_BUFFER_TOO_SMALL;
  }
  if (wanted->pValue != NULL) {
    memcpy(wanted->pValue, value, length);
  }
  wanted->ulValueLen = length;
  return CKR_OK;
}

CALL(C_GetAttributeValue,
     (CK_ULONG handle, CK_ULONG object, CK_ATTRIBUTE *wanted, CK_ULONG count),
     (handle, object, wanted, count)) {
  SESSION(handle)
  const struct key *key = keyOf(session->slot, object);
  if (key == NULL || !visible(session->slot, key)) {
    return CKR_OBJECT_HANDLE_INVALID;
  }
  CK_RV result = CKR_OK;
  for (CK_ULONG i = 0; i < count; i++) {
    CK_RV read = readAttribute(key, &wanted[i]);
    result = read == CKR_OK ? result : read;
  }
  return result;
}

static bool matches(const struct key *key, const CK_ATTRIBUTE *template, CK_ULONG count) {
  for (CK_ULONG i = 0; i < count; i++) {
    const void *value;
    size_t length;
    if (template[i].type == CKA_VALUE || !attribute(key, template[i].type, &value, &length)
        || length != template[i].ulValueLen
        || (length > 0 && memcmp(value, template[i].pValue, length) != 0)) {
      return false;
    }
  }
  return true;
}

CALL(C_FindObjectsInit, (CK_ULONG handle, CK_ATTRIBUTE *template, CK_ULONG count),
     (handle, template, count)) {
  SESSION(handle)
  if (session->finding) {
    return CKR_OPERATION_ACTIVE;
  }
  session->foundCount = session->foundTaken = 0;
  for (const struct key *key = session->slot->keys; key != NULL; key = key->next) {
    if (visible(session->slot, key) && matches(key, template, count)) {
      CK_ULONG *more = realloc(session->found, (session->foundCount + 1) * sizeof *more);
      if (more == NULL) {
        return CKR_HOST_MEMORY;
      }
      session->found = more;
      session->found[session->foundCount++] = key->handle;
    }
  }
  session->finding = true;
  return CKR_OK;
}

CALL(C_FindObjects, (CK_ULONG handle, CK_ULONG *objects, CK_ULONG most, CK_ULONG *count),
     (handle, objects, most, count)) {
  SESSION(handle)
  if (!session->finding) {
    return CKR_OPERATION_NOT_INITIALIZED;
  }
  for (*count = 0; *count < most && session->foundTaken < session->foundCount; ++*count) {
    objects[*count] = session->found[session->foundTaken++];
  }
  return CKR_OK;
}

CALL(C_FindObjectsFinal, (CK_ULONG handle), (handle)) {
  SESSION(handle)
  CK_RV result = session->finding ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
  session->finding = false;
  return result;
}

static bool flagOf(const CK_ATTRIBUTE *attribute) {
  return attribute->ulValueLen == 1 && *(const CK_BYTE *)attribute->pValue != 0;
}

static CK_RV takeBytes(const CK_ATTRIBUTE *from, void *into, size_t room, size_t *length) {
  if (from->ulValueLen > room) {
    return CKR_ATTRIBUTE_VALUE_INVALID;
  }
  *length = from->ulValueLen;
  if (*length > 0) {
    memcpy(into, from->pValue, *length);
  }
  return CKR_OK;
}

static CK_RV takeNumber(const CK_ATTRIBUTE *from, CK_ULONG *into) {
  if (from->ulValueLen != sizeof *into) {
    return CKR_ATTRIBUTE_VALUE_INVALID;
  }
  memcpy(into, from->pValue, sizeof *into);
  return CKR_OK;
}

static CK_RV takeAttribute(struct key *key, const CK_ATTRIBUTE *from) {
  CK_ULONG number;
  switch (from->type) {
    case CKA_CLASS:
      return takeNumber(from, &number) == CKR_OK && number == CKO_SECRET_KEY
                 ? CKR_OK
                 : CKR_ATTRIBUTE_VALUE_INVALID;
    case CKA_KEY_TYPE: return takeNumber(from, &key->type);
    case CKA_VALUE_LEN: return takeNumber(from, &key->valueLength);
    case CKA_VALUE: return takeBytes(from, key->value, LONGEST_KEY, &key->valueLength);
    case CKA_LABEL: return takeBytes(from, key->label, LONGEST_NAME, &key->labelLength);
    case CKA_ID: return takeBytes(from, key->id, LONGEST_NAME, &key->idLength);
    case CKA_TOKEN: return key->owner = flagOf(from) ? 0 : key->owner, CKR_OK;
    case CKA_PRIVATE: return key->private = flagOf(from), CKR_OK;
    case CKA_SENSITIVE: return key->sensitive = flagOf(from), CKR_OK;
    case CKA_EXTRACTABLE: return key->extractable = flagOf(from), CKR_OK;
    case CKA_ENCRYPT: return key->encrypt = flagOf(from), CKR_OK;
    case CKA_DECRYPT: return key->decrypt = flagOf(from), CKR_OK;
    case CKA_SIGN: return key->sign = flagOf(from), CKR_OK;
    case CKA_VERIFY: return key->verify = flagOf(from), CKR_OK;
    case CKA_WRAP:
    case CKA_UNWRAP:
    case CKA_DERIVE:
    case CKA_MODIFIABLE: return CKR_OK;
    default: return CKR_ATTRIBUTE_TYPE_INVALID;
  }
}

static CK_RV takeTemplate(struct key *key, const CK_ATTRIBUTE *template, CK_ULONG count) {
  for (CK_ULONG i = 0; i < count; i++) {
    CK_RV result = takeAttribute(key, &template[i]);
    if (result != CKR_OK) {
      return result;
    }
  }
  return CKR_OK;
}

bool validLength(const struct key *key) {
  size_t length = key->valueLength;
  return key->cipher == AES   ? length == 16 || length == 24 || length == 32
         : key->cipher == SM4 ? length == 16
                              : length > 0 && length <= LONGEST_KEY;
}

/* Checks a key that was just filled in, and knows what it is for. */
static CK_RV finishKey(const struct session *session, struct key *key) {
  bool sm4 = session->slot->sm4Type != 0 && key->type == session->slot->sm4Type;
  if (!sm4 && key->type != CKK_AES && key->type != CKK_GENERIC_SECRET) {
    return CKR_ATTRIBUTE_VALUE_INVALID;
  }
  key->cipher = sm4 ? SM4 : key->type == CKK_AES ? AES : GENERIC;
  if (!validLength(key)) {
    return CKR_KEY_SIZE_RANGE;
  }
  if (key->private && !session->slot->loggedIn) {
    return CKR_USER_NOT_LOGGED_IN;
  }
  return key->owner == 0 && !session->writable ? CKR_SESSION_READ_ONLY : CKR_OK;
}

static struct key *newKey(const struct session *session) {
  struct key *key = addKey(session->slot);
  if (key != NULL) {
    key->owner = session->handle;
    key->extractable = true;
  }
  return key;
}

CALL(C_CreateObject, (CK_ULONG handle, CK_ATTRIBUTE *template, CK_ULONG count, CK_ULONG *object),
     (handle, template, count, object)) {
  SESSION(handle)
  struct key *key = newKey(session);
  if (key == NULL) {
    return CKR_HOST_MEMORY;
  }
  CK_RV result = takeTemplate(key, template, count);
  result = result == CKR_OK ? finishKey(session, key) : result;
  if (result == CKR_OK) {
    *object = key->handle;
  } else {
    dropKey(session->slot, key);
  }
  return result;
}

CALL(C_GenerateKey,
     (CK_ULONG handle, CK_MECHANISM *given, CK_ATTRIBUTE *template, CK_ULONG count,
      CK_ULONG *object),
     (handle, given, template, count, object)) {
  SESSION(handle)
  const struct mechanism *mechanism = mechanismOf(session->slot, given->mechanism);
  if (mechanism == NULL || mechanism->mode != KEY_GEN) {
    return CKR_MECHANISM_INVALID;
  }
  struct key *key = newKey(session);
  if (key == NULL) {
    return CKR_HOST_MEMORY;
  }
  key->type = mechanism->cipher == SM4   ? session->slot->sm4Type
              : mechanism->cipher == AES ? (CK_ULONG)CKK_AES
                                         : (CK_ULONG)CKK_GENERIC_SECRET;
  key->valueLength = BLOCK;
  CK_RV result = takeTemplate(key, template, count);
  result = result == CKR_OK ? finishKey(session, key) : result;
  if (result == CKR_OK && !RAND_bytes(key->value, (int)key->valueLength)) {
    result = CKR_FUNCTION_FAILED;
  }
  if (result != CKR_OK) {
    dropKey(session->slot, key);
    return result;
  }
  key->local = true;
  key->alwaysSensitive = key->sensitive;
  key->neverExtractable = !key->extractable;
  *object = key->handle;
  return CKR_OK;
}

CALL(C_DestroyObject, (CK_ULONG handle, CK_ULONG object), (handle, object)) {
  SESSION(handle)
  const struct key *key = keyOf(session->slot, object);
  if (key == NULL || !visible(session->slot, key)) {
    return CKR_OBJECT_HANDLE_INVALID;
  }
  if (key->owner == 0 && !session->writable) {
    return CKR_SESSION_READ_ONLY;
  }
  dropKey(session->slot, key);
  return CKR_OK;
}

CALL(C_SetAttributeValue,
     (CK_ULONG handle, CK_ULONG object, CK_ATTRIBUTE *template, CK_ULONG count),
     (handle, object, template, count)) {
  SESSION(handle)
  struct key *key = keyOf(session->slot, object);
  if (key == NULL || !visible(session->slot, key)) {
    return CKR_OBJECT_HANDLE_INVALID;
  }
  for (CK_ULONG i = 0; i < count; i++) {
    if (template[i].type != CKA_LABEL && template[i].type != CKA_ID) {
      return CKR_ATTRIBUTE_READ_ONLY;
    }
  }
  return takeTemplate(key, template, count);
}

void offerObjects(CK_FUNCTION_LIST *list) {
  OFFER(C_GetAttributeValue) OFFER(C_FindObjectsInit) OFFER(C_FindObjects)
  OFFER(C_FindObjectsFinal) OFFER(C_CreateObject) OFFER(C_GenerateKey) OFFER(C_DestroyObject)
  OFFER(C_SetAttributeValue)
}
