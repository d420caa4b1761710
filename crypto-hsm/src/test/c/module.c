/*
 * A PKCS#11 module for tests: AES and SM4 keys in memory, and faults on command (control.c).
 *
 * It is a token's outside only. Keys lie in memory unprotected; never use it for anything else.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calls.h"

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

void leave(enum function called) {
  state.inside[called]--;
  pthread_mutex_unlock(&state.lock);
}

CK_RV enter(enum function called) {
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

/* ---- tokens, sessions and keys ---- */

static struct slot *slotById(CK_ULONG id) {
  CK_ULONG place = id - FIRST_SLOT_ID;
  return place < SLOTS && state.slots[place].used ? &state.slots[place] : NULL;
}

static CK_ULONG idOf(const struct slot *slot) {
  return FIRST_SLOT_ID + (CK_ULONG)(slot - state.slots);
}

void clearOperation(struct operation *operation) {
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
CK_RV sessionOf(CK_ULONG handle, struct session **found) {
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

bool visible(const struct slot *slot, const struct key *key) {
  return !key->private || slot->loggedIn;
}

struct key *keyOf(const struct slot *slot, CK_ULONG handle) {
  for (struct key *key = slot->keys; key != NULL; key = key->next) {
    if (key->handle == handle) {
      return key;
    }
  }
  return NULL;
}

const struct mechanism *mechanismOf(const struct slot *slot, CK_ULONG number) {
  for (int i = 0; i < MECHANISMS; i++) {
    if (slot->mechanisms[i].present && slot->mechanisms[i].number == number) {
      return &slot->mechanisms[i];
    }
  }
  return NULL;
}

/* ---- the library and its tokens ---- */

static void blankPadded(CK_BYTE *into, size_t size, const char *text) {
  size_t length = strlen(text);
  memset(into, ' ', size);
  memcpy(into, text, length < size ? length : size);
}

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

/* ---- the list ---- */

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

static CK_RV unsupported(void) { return CKR_FUNCTION_NOT_SUPPORTED; }

static void offerAll(CK_FUNCTION_LIST *list) {
  list->version = (CK_VERSION){2, 40};
  for (int i = 0; i < FUNCTION_COUNT; i++) {
    list->functions[i] = (void (*)(void))unsupported;
  }
  OFFER(C_GetFunctionList)
  OFFER(C_Initialize) OFFER(C_Finalize) OFFER(C_GetInfo) OFFER(C_GetSlotList) OFFER(C_GetSlotInfo)
  OFFER(C_GetTokenInfo) OFFER(C_GetMechanismList) OFFER(C_GetMechanismInfo) OFFER(C_OpenSession)
  OFFER(C_CloseSession) OFFER(C_CloseAllSessions) OFFER(C_GetSessionInfo) OFFER(C_Login)
  OFFER(C_Logout)
  offerObjects(list);
  offerOperations(list);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
  static CK_FUNCTION_LIST functions;
  static bool filled;
  pthread_mutex_lock(&state.lock);
  if (!filled) {
    offerAll(&functions);
    filled = true;
  }
  pthread_mutex_unlock(&state.lock);
  *list = &functions;
  return CKR_OK;
}
