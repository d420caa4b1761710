/*
 * How the functions of the list are written: each call is counted, may be failed, delayed or held,
 * and runs under the one lock.
 */
#ifndef LEDGERKEEP_CALLS_H
#define LEDGERKEEP_CALLS_H

#include "ciphers.h"
#include "cryptoki.h"
#include "token.h"

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

#define SESSION(handle)                           \
  struct session *session;                        \
  CK_RV known = sessionOf(handle, &session);      \
  if (known != CKR_OK) {                          \
    return known;                                 \
  }

/* Puts a function into the list. */
#define OFFER(name) list->functions[FUNCTION_##name] = (void (*)(void))name;

void offerObjects(CK_FUNCTION_LIST *list);
void offerOperations(CK_FUNCTION_LIST *list);

/* Takes the lock if the call may go on. */
CK_RV enter(enum function called);
void leave(enum function called);

/* All of these want the lock held. */
CK_RV sessionOf(CK_ULONG handle, struct session **found); /* or the reason why there is none */
bool visible(const struct slot *slot, const struct key *key);
bool validLength(const struct key *key);
struct key *keyOf(const struct slot *slot, CK_ULONG handle);
const struct mechanism *mechanismOf(const struct slot *slot, CK_ULONG number);
void clearOperation(struct operation *operation);

#endif
