/* The state of the module: tokens in slots, their keys, the sessions, the faults to play. */
#ifndef LEDGERKEEP_TOKEN_H
#define LEDGERKEEP_TOKEN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "ciphers.h"
#include "cryptoki.h"

#define SLOTS 8
#define SESSIONS 256
#define FAULTS 32
#define MECHANISMS 24
#define LONGEST_NAME 64

/* Slots are not numbered from zero, so that nobody takes a place in the list for a slot's id. */
#define FIRST_SLOT_ID 1000

struct mechanism {
  const char *name;
  enum cipher cipher;
  enum mode mode;
  CK_ULONG flags;
  bool present;
  CK_ULONG number;
};

struct key {
  struct key *next;
  CK_ULONG handle;
  CK_ULONG owner; /* the session that it dies with; 0 for an object of the token */
  CK_ULONG type;
  enum cipher cipher;
  char label[LONGEST_NAME];
  size_t labelLength;
  CK_BYTE id[LONGEST_NAME];
  size_t idLength;
  CK_BYTE value[LONGEST_KEY];
  size_t valueLength;
  bool private, sensitive, extractable, alwaysSensitive, neverExtractable, local;
  bool encrypt, decrypt, sign, verify;
};

enum ownIv { NO_OWN_IV, WRITTEN_AT_INIT, WRITTEN_AT_END, APPENDED };

struct slot {
  bool used, gone, removable, loggedIn, pinLocked;
  char label[33], serial[17], pin[LONGEST_NAME];
  CK_ULONG wrongPins, wrongPinsAllowed;
  CK_ULONG sm4Type;
  struct mechanism mechanisms[MECHANISMS];
  struct key *keys;
  CK_ULONG sessionsAllowed; /* 0 = as many as there are */
  CK_ULONG textLimit;       /* bytes in one call; 0 = none */
  CK_ULONG gcmLayout;       /* 230, 240, or 0 for either */
  enum ownIv ownIv;
  CK_RV tagError;
};

enum purpose { ENCRYPT, DECRYPT, SIGN, VERIFY, PURPOSES };

struct session {
  CK_ULONG handle; /* 0 = free */
  struct slot *slot;
  bool writable;
  bool removed; /* its token was taken out; the next call learns it */
  struct operation operations[PURPOSES];
  bool finding;
  CK_ULONG *found;
  size_t foundCount, foundTaken;
};

enum action { FAIL, DELAY };

struct fault {
  bool used;
  int called; /* a function, or -1 for any that takes a session */
  enum action action;
  CK_ULONG value;  /* the code to fail with, or milliseconds */
  CK_ULONG before; /* calls that still pass */
  CK_ULONG times;  /* calls it still happens to */
};

struct state {
  pthread_mutex_t lock;
  pthread_cond_t released;
  bool initialized, configured;
  CK_ULONG lastHandle;
  struct slot slots[SLOTS];
  struct session sessions[SESSIONS];
  struct fault faults[FAULTS];
  bool held[FUNCTION_COUNT];
  CK_ULONG calls[FUNCTION_COUNT], inside[FUNCTION_COUNT], peak[FUNCTION_COUNT];
  char log[1024];
};

extern struct state state;
extern const char *const functionNames[FUNCTION_COUNT];

/* All of these want the lock held. */
void readConfiguration(void);
void closeSession(struct session *session);
void closeSessions(const struct slot *slot); /* null = of every slot */
void removeToken(struct slot *slot);
struct key *addKey(struct slot *slot);
void dropKey(struct slot *slot, const struct key *key);
CK_RV finalize(void);
CK_RV initialize(void);

#endif
