/*
 * A PKCS#11 module for tests: AES and SM4 keys in memory, and faults on command (control.c).
 *
 * It is a token's outside only. Keys lie in memory unprotected; never use it for anything else.
 */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ciphers.h"
#include "cryptoki.h"
#include "token.h"

struct state state = {.lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER};

/* ---- calls: each counts, may be failed, delayed or held, and runs under the one lock ---- */

static void sleepUnlocked(CK_ULONG milliseconds) {
  struct timespec time = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
  pthread_mutex_unlock(&state.lock);
  nanosleep(&time, NULL);
  pthread_mutex_lock(&state.lock);
}

static CK_RV playFaults(enum function called) {
  for (int i = 0; i < FAULTS; i++) {
    struct fault *fault = &state.faults[i];
    bool any = fault->called == -1 && called >= FUNCTION_C_OpenSession;
    if (!fault->used || (fault->called != (int)called && !any)) {
      continue;
    }
    if (fault->before > 0) {
      fault->before--;
      continue;
    }
    fault->used = --fault->times > 0;
    if (fault->action == FAIL) {
      return fault->value;
    }
    sleepUnlocked(fault->value);
  }
  return CKR_OK;
}

static void note(enum function called) {
  FILE *log = state.log[0] == 0 ? NULL : fopen(state.log, "a");
  if (log != NULL) {
    fprintf(log, "%s\n", functionNames[called]);
    fclose(log);
  }
}

static void leave(enum function called) {
  state.inside[called]--;
  pthread_mutex_unlock(&state.lock);
}

static CK_RV enter(enum function called) {
  pthread_mutex_lock(&state.lock);
  state.calls[called]++;
  if (++state.inside[called] > state.peak[called]) {
    state.peak[called] = state.inside[called];
  }
  note(called);
  while (state.held[called]) {
    pthread_cond_wait(&state.released, &state.lock);
  }
  CK_RV result = playFaults(called);
  if (result == CKR_OK && called != FUNCTION_C_Initialize && !state.initialized) {
    result = CKR_CRYPTOKI_NOT_INITIALIZED;
  }
  if (result != CKR_OK) {
    leave(called);
  }
  return result;
}

/* Defines a function of the list; what follows is its body, under the lock. */
#define CALL(name, parameters, arguments) CALL_ELSE(name, parameters, arguments, (void)0)

/* Likewise for one whose failure ends the operation, as the standard wants. */
#define STEP(name, purpose, parameters, arguments) \
  CALL_ELSE(name, parameters, arguments, abandon(handle, purpose))

#define CALL_ELSE(name, parameters, arguments, otherwise) \
  static CK_RV name##_body parameters;                    \
  static CK_RV name parameters {                          \
    CK_RV result = enter(FUNCTION_##name);                \
    if (result == CKR_OK) {                               \
      result = name##_body arguments;                     \
      leave(FUNCTION_##name);                             \
    } else {                                              \
      otherwise;                                          \
    }                                                     \
    return result;                                        \
  }                                                       \
  static CK_RV name##_body parameters

static CK_RV unsupported(void) { return CKR_FUNCTION_NOT_SUPPORTED; }

static void blankPadded(CK_BYTE *into, size_t size, const char *text) {
  size_t length = strlen(text);
  memset(into, ' ', size);
  memcpy(into, text, length < size ? length : size);
}

/* ---- tokens, sessions and keys ---- */

static struct slot *slotById(CK_ULONG id) {
  CK_ULONG place = id - FIRST_SLOT_ID;
  return place < SLOTS && state.slots[place].used ? &state.slots[place] : NULL;
}

static CK_ULONG idOf(const struct slot *slot) {
  return FIRST_SLOT_ID + (CK_ULONG)(slot - state.slots);
}

static void clearOperation(struct operation *operation) {
  free(operation->aad);
  if (operation->text != NULL) {
    OPENSSL_cleanse(operation->text, operation->textLength);
    free(operation->text);
  }
  OPENSSL_cleanse(operation, sizeof *operation);
}

struct key *addKey(struct slot *slot) {
  struct key *key = calloc(1, sizeof *key);
  if (key != NULL) {
    key->handle = ++state.lastHandle;
    key->next = slot->keys;
    slot->keys = key;
  }
  return key;
}

void dropKey(struct slot *slot, const struct key *key) {
  for (struct key **place = &slot->keys; *place != NULL; place = &(*place)->next) {
    if (*place == key) {
      struct key *dropped = *place;
      *place = dropped->next;
      OPENSSL_cleanse(dropped, sizeof *dropped);
      free(dropped);
      return;
    }
  }
}

static void dropKeysOf(struct slot *slot, CK_ULONG session) {
  for (struct key *key = slot->keys, *next; key != NULL; key = next) {
    next = key->next;
    if (key->owner == session) {
      dropKey(slot, key);
    }
  }
}

static CK_ULONG countSessions(const struct slot *slot, bool writableOnly) {
  CK_ULONG count = 0;
  for (int i = 0; i < SESSIONS; i++) {
    const struct session *session = &state.sessions[i];
    count += session->handle != 0 && session->slot == slot && !session->removed
             && (session->writable || !writableOnly);
  }
  return count;
}

/* With its last session a token forgets who was logged in. */
void closeSession(struct session *session) {
  struct slot *slot = session->slot;
  for (int i = 0; i < PURPOSES; i++) {
    clearOperation(&session->operations[i]);
  }
  free(session->found);
  dropKeysOf(slot, session->handle);
  memset(session, 0, sizeof *session);
  if (countSessions(slot, false) == 0) {
    slot->loggedIn = false;
  }
}

void closeSessions(const struct slot *slot) {
  for (int i = 0; i < SESSIONS; i++) {
    struct session *session = &state.sessions[i];
    if (session->handle != 0 && (slot == NULL || session->slot == slot)) {
      closeSession(session);
    }
  }
}

void removeToken(struct slot *slot) {
  for (int i = 0; i < SESSIONS; i++) {
    if (state.sessions[i].handle != 0 && state.sessions[i].slot == slot) {
      state.sessions[i].removed = true;
      dropKeysOf(slot, state.sessions[i].handle);
    }
  }
  slot->loggedIn = false;
}

/* The session of that handle, or the reason why there is none. */
static CK_RV sessionOf(CK_ULONG handle, struct session **found) {
  for (int i = 0; handle != 0 && i < SESSIONS; i++) {
    struct session *session = &state.sessions[i];
    if (session->handle == handle && session->removed) {
      closeSession(session);
      return CKR_DEVICE_REMOVED;
    }
    if (session->handle == handle) {
      *found = session;
      return CKR_OK;
    }
  }
  return CKR_SESSION_HANDLE_INVALID;
}

#define SESSION(handle)                           \
  struct session *session;                        \
  CK_RV known = sessionOf(handle, &session);      \
  if (known != CKR_OK) {                          \
    return known;                                 \
  }

static bool visible(const struct slot *slot, const struct key *key) {
  return !key->private || slot->loggedIn;
}

static struct key *keyOf(const struct slot *slot, CK_ULONG handle) {
  for (struct key *key = slot->keys; key != NULL; key = key->next) {
    if (key->handle == handle) {
      return key;
    }
  }
  return NULL;
}

static const struct mechanism *mechanismOf(const struct slot *slot, CK_ULONG number) {
  for (int i = 0; i < MECHANISMS; i++) {
    if (slot->mechanisms[i].present && slot->mechanisms[i].number == number) {
      return &slot->mechanisms[i];
    }
  }
  return NULL;
}

/* ---- the library ---- */

CK_RV initialize(void) {
  if (state.initialized) {
    return CKR_CRYPTOKI_ALREADY_INITIALIZED;
  }
  readConfiguration();
  state.initialized = true;
  return CKR_OK;
}

CK_RV finalize(void) {
  closeSessions(NULL);
  state.initialized = false;
  return CKR_OK;
}

CALL(C_Initialize, (void *arguments), (arguments)) {
  (void)arguments;
  return initialize();
}

CALL(C_Finalize, (void *reserved), (reserved)) {
  return reserved == NULL ? finalize() : (CK_RV)CKR_ARGUMENTS_BAD;
}

CALL(C_GetInfo, (CK_INFO * info), (info)) {
  memset(info, 0, sizeof *info);
  info->cryptokiVersion = (CK_VERSION){2, 40};
  blankPadded(info->manufacturerID, sizeof info->manufacturerID, "Ledgerkeep");
  blankPadded(info->libraryDescription, sizeof info->libraryDescription, "token for tests");
  return CKR_OK;
}

CALL(C_GetSlotList, (CK_BYTE present, CK_ULONG *slots, CK_ULONG *count), (present, slots, count)) {
  CK_ULONG ids[SLOTS];
  CK_ULONG total = 0;
  for (int i = 0; i < SLOTS; i++) {
    const struct slot *slot = &state.slots[i];
    if (slot->used && (!present || !slot->gone)) {
      ids[total++] = idOf(slot);
    }
  }
  CK_ULONG room = *count;
  *count = total;
  if (slots == NULL) {
    return CKR_OK;
  }
  if (room < total) {
    return CKR_BUFFER_TOO_SMALL;
  }
  memcpy(slots, ids, total * sizeof *ids);
  return CKR_OK;
}

CALL(C_GetSlotInfo, (CK_ULONG id, CK_SLOT_INFO *info), (id, info)) {
  const struct slot *slot = slotById(id);
  if (slot == NULL) {
    return CKR_SLOT_ID_INVALID;
  }
  memset(info, 0, sizeof *info);
  blankPadded(info->slotDescription, sizeof info->slotDescription, "slot of the token for tests");
  blankPadded(info->manufacturerID, sizeof info->manufacturerID, "Ledgerkeep");
  info->flags = (slot->gone ? 0 : CKF_TOKEN_PRESENT) | (slot->removable ? CKF_REMOVABLE_DEVICE : 0);
  return CKR_OK;
}

static CK_ULONG tokenFlags(const struct slot *slot) {
  CK_ULONG left = slot->wrongPinsAllowed - slot->wrongPins;
  CK_ULONG flags =
      CKF_RNG | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED;
  flags |= slot->wrongPins > 0 ? CKF_USER_PIN_COUNT_LOW : 0;
  flags |= left == 1 ? CKF_USER_PIN_FINAL_TRY : 0;
  return flags | (slot->pinLocked ? CKF_USER_PIN_LOCKED : 0);
}

CALL(C_GetTokenInfo, (CK_ULONG id, CK_TOKEN_INFO *info), (id, info)) {
  const struct slot *slot = slotById(id);
  if (slot == NULL || slot->gone) {
    return slot == NULL ? CKR_SLOT_ID_INVALID : CKR_TOKEN_NOT_PRESENT;
  }
  memset(info, 0, sizeof *info);
  blankPadded(info->label, sizeof info->label, slot->label);
  blankPadded(info->manufacturerID, sizeof info->manufacturerID, "Ledgerkeep");
  blankPadded(info->model, sizeof info->model, "test");
  blankPadded(info->serialNumber, sizeof info->serialNumber, slot->serial);
  info->flags = tokenFlags(slot);
  info->ulMaxSessionCount = info->ulMaxRwSessionCount = slot->sessionsAllowed;
  info->ulSessionCount = countSessions(slot, false);
  info->ulRwSessionCount = countSessions(slot, true);
  info->ulMaxPinLen = LONGEST_NAME - 1;
  info->ulMinPinLen = 4;
  info->ulTotalPublicMemory = info->ulFreePublicMemory = CK_UNAVAILABLE;
  info->ulTotalPrivateMemory = info->ulFreePrivateMemory = CK_UNAVAILABLE;
  return CKR_OK;
}

CALL(C_GetMechanismList, (CK_ULONG id, CK_ULONG *list, CK_ULONG *count), (id, list, count)) {
  const struct slot *slot = slotById(id);
  if (slot == NULL || slot->gone) {
    return slot == NULL ? CKR_SLOT_ID_INVALID : CKR_TOKEN_NOT_PRESENT;
  }
  CK_ULONG room = *count;
  *count = 0;
  for (int i = 0; i < MECHANISMS; i++) {
    if (slot->mechanisms[i].present) {
      if (list != NULL && *count < room) {
        list[*count] = slot->mechanisms[i].number;
      }
      ++*count;
    }
  }
  return list != NULL && *count > room ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

CALL(C_GetMechanismInfo, (CK_ULONG id, CK_ULONG number, CK_MECHANISM_INFO *info),
     (id, number, info)) {
  const struct slot *slot = slotById(id);
  if (slot == NULL || slot->gone) {
    return slot == NULL ? CKR_SLOT_ID_INVALID : CKR_TOKEN_NOT_PRESENT;
  }
  const struct mechanism *mechanism = mechanismOf(slot, number);
  if (mechanism == NULL) {
    return CKR_MECHANISM_INVALID;
  }
  info->ulMinKeySize = mechanism->cipher == GENERIC ? 1 : 16;
  info->ulMaxKeySize = mechanism->cipher == AES ? 32 : mechanism->cipher == SM4 ? 16 : LONGEST_KEY;
  info->flags = mechanism->flags;
  return CKR_OK;
}

/* ---- sessions ---- */

CALL(C_OpenSession,
     (CK_ULONG id, CK_ULONG flags, void *application, void *notify, CK_ULONG *handle),
     (id, flags, application, notify, handle)) {
  (void)application;
  (void)notify;
  struct slot *slot = slotById(id);
  if (slot == NULL || slot->gone) {
    return slot == NULL ? CKR_SLOT_ID_INVALID : CKR_TOKEN_NOT_PRESENT;
  }
  if (!(flags & CKF_SERIAL_SESSION)) {
    return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
  }
  if (slot->sessionsAllowed > 0 && countSessions(slot, false) >= slot->sessionsAllowed) {
    return CKR_SESSION_COUNT;
  }
  for (int i = 0; i < SESSIONS; i++) {
    struct session *session = &state.sessions[i];
    if (session->handle == 0) {
      session->handle = *handle = ++state.lastHandle;
      session->slot = slot;
      session->writable = flags & CKF_RW_SESSION;
      return CKR_OK;
    }
  }
  return CKR_SESSION_COUNT;
}

CALL(C_CloseSession, (CK_ULONG handle), (handle)) {
  SESSION(handle)
  closeSession(session);
  return CKR_OK;
}

CALL(C_CloseAllSessions, (CK_ULONG id), (id)) {
  const struct slot *slot = slotById(id);
  if (slot == NULL) {
    return CKR_SLOT_ID_INVALID;
  }
  closeSessions(slot);
  return CKR_OK;
}

CALL(C_GetSessionInfo, (CK_ULONG handle, CK_SESSION_INFO *info), (handle, info)) {
  SESSION(handle)
  info->slotID = idOf(session->slot);
  info->state = (session->writable ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION)
                + (session->slot->loggedIn ? 1 : 0);
  info->flags = CKF_SERIAL_SESSION | (session->writable ? CKF_RW_SESSION : 0);
  info->ulDeviceError = 0;
  return CKR_OK;
}

static CK_RV wrongPin(struct slot *slot) {
  slot->wrongPins++;
  slot->pinLocked = slot->wrongPins >= slot->wrongPinsAllowed;
  return CKR_PIN_INCORRECT;
}

/* A wrong PIN where somebody is logged in is never looked at, as in other tokens. */
CALL(C_Login, (CK_ULONG handle, CK_ULONG user, const char *pin, CK_ULONG length),
     (handle, user, pin, length)) {
  SESSION(handle)
  struct slot *slot = session->slot;
  if (user != CKU_USER) {
    return CKR_USER_TYPE_INVALID;
  }
  if (slot->loggedIn) {
    return CKR_USER_ALREADY_LOGGED_IN;
  }
  if (slot->pinLocked) {
    return CKR_PIN_LOCKED;
  }
  if (pin == NULL || length != strlen(slot->pin) || memcmp(pin, slot->pin, length) != 0) {
    return wrongPin(slot);
  }
  slot->wrongPins = 0;
  slot->loggedIn = true;
  return CKR_OK;
}

CALL(C_Logout, (CK_ULONG handle), (handle)) {
  SESSION(handle)
  if (!session->slot->loggedIn) {
    return CKR_USER_NOT_LOGGED_IN;
  }
  session->slot->loggedIn = false;
  return CKR_OK;
}

/* ---- attributes and objects ---- */

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

static bool validLength(const struct key *key) {
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

/* ---- operations ---- */

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

STEP(C_Sign, SIGN, (CK_ULONG handle, CK_BYTE *text, CK_ULONG length, CK_BYTE *out, CK_ULONG *outLength),
     (handle, text, length, out, outLength)) {
  return end(handle, SIGN, text, length, out, outLength);
}

STEP(C_SignUpdate, SIGN, (CK_ULONG handle, CK_BYTE *part, CK_ULONG length), (handle, part, length)) {
  return append(handle, SIGN, part, length);
}

STEP(C_SignFinal, SIGN, (CK_ULONG handle, CK_BYTE *out, CK_ULONG *outLength), (handle, out, outLength)) {
  return endParts(handle, SIGN, out, outLength);
}

CALL(C_VerifyInit, (CK_ULONG handle, CK_MECHANISM *mechanism, CK_ULONG key),
     (handle, mechanism, key)) {
  return begin(handle, mechanism, key, VERIFY);
}

STEP(C_Verify, VERIFY,
     (CK_ULONG handle, CK_BYTE *text, CK_ULONG length, CK_BYTE *signature, CK_ULONG signatureLength),
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

/* ---- the list ---- */

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

#define OFFER(name) functions.functions[FUNCTION_##name] = (void (*)(void))name;

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
  static CK_FUNCTION_LIST functions;
  pthread_mutex_lock(&state.lock);
  functions.version = (CK_VERSION){2, 40};
  for (int i = 0; i < FUNCTION_COUNT; i++) {
    if (functions.functions[i] == NULL) {
      functions.functions[i] = (void (*)(void))unsupported;
    }
  }
  OFFER(C_Initialize) OFFER(C_Finalize) OFFER(C_GetInfo) OFFER(C_GetFunctionList)
  OFFER(C_GetSlotList) OFFER(C_GetSlotInfo) OFFER(C_GetTokenInfo) OFFER(C_GetMechanismList)
  OFFER(C_GetMechanismInfo) OFFER(C_OpenSession) OFFER(C_CloseSession)
  OFFER(C_CloseAllSessions) OFFER(C_GetSessionInfo) OFFER(C_Login) OFFER(C_Logout)
  OFFER(C_CreateObject) OFFER(C_DestroyObject) OFFER(C_GetAttributeValue)
  OFFER(C_SetAttributeValue) OFFER(C_FindObjectsInit) OFFER(C_FindObjects)
  OFFER(C_FindObjectsFinal) OFFER(C_EncryptInit) OFFER(C_Encrypt) OFFER(C_EncryptUpdate)
  OFFER(C_EncryptFinal) OFFER(C_DecryptInit) OFFER(C_Decrypt) OFFER(C_DecryptUpdate)
  OFFER(C_DecryptFinal) OFFER(C_SignInit) OFFER(C_Sign) OFFER(C_SignUpdate) OFFER(C_SignFinal)
  OFFER(C_VerifyInit) OFFER(C_Verify) OFFER(C_GenerateKey) OFFER(C_SeedRandom)
  OFFER(C_GenerateRandom)
  pthread_mutex_unlock(&state.lock);
  *list = &functions;
  return CKR_OK;
}
