/*
 * The switchboard of the test token: sets up tokens and keys, plays faults, tells what was called.
 *
 * Commands are words between blanks. An answer begins with "error" or is what was asked, "ok" else.
 * The file that TESTTOKEN_CONFIG names holds such commands, a line each; it is read once, before
 * the first C_Initialize of a process. CODE is a name (CKR_...) or a number.
 *
 *   token LABEL [SETTING=VALUE...]   puts a token in a new slot
 *   set LABEL SETTING=VALUE...       pin, serial, profile, removable, max_sessions,
 *       max_wrong_pins, text_limit, gcm_layout (230, 240, 0), tag_error, gone, pin_locked,
 *       own_iv (none, init, end, append)
 *   mechanism LABEL NAME=NUMBER...   another number for a mechanism, or "none" to take it away
 *   key LABEL label=.. type=aes|sm4|generic [value=HEX | bytes=N] [id=HEX] [private|sensitive|
 *       extractable|encrypt|decrypt|sign|verify=0|1]
 *   remove LABEL label=..            the keys of that label
 *   fail FUNCTION CODE [from=N] [times=N]   the N-th call from now, and so many; 0 = all
 *   delay FUNCTION MILLISECONDS      of every call. FUNCTION "*" is all that take a session
 *   hold FUNCTION                    calls wait, until "release"
 *   heal                             no more fail, delay, hold
 *   die [LABEL]                      the sessions, of one token or all
 *   logout LABEL                     as if another user of the library had logged out
 *   finalize, initialize             as if another user of the library had
 *   calls|inside|peak FUNCTION       how often, how many at this time, how many at once at most
 *   sessions LABEL, wrong_pins LABEL
 *   forget                           the counts
 *   log PATH                         a line per call from now on
 *   reset                            to the start: no tokens, sessions, faults, counts
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "token.h"

#define WORDS 32

#define NAMED(name) #name,
const char *const functionNames[FUNCTION_COUNT] = {FUNCTIONS(NAMED)};
#undef NAMED

static const struct {
  const char *name;
  CK_RV code;
} results[] = {
#define NAMED(name, number) {#name, number},
    RESULTS(NAMED)
#undef NAMED
};

static const struct mechanism commonMechanisms[] = {
    {"aes_key_gen", AES, KEY_GEN, CKF_GENERATE, true, 0x1080},
    {"aes_ecb", AES, ECB, CKF_ENCRYPT | CKF_DECRYPT, true, 0x1081},
    {"aes_cbc", AES, CBC, CKF_ENCRYPT | CKF_DECRYPT, true, 0x1082},
    {"aes_cbc_pad", AES, CBC_PAD, CKF_ENCRYPT | CKF_DECRYPT, true, 0x1085},
    {"aes_ctr", AES, CTR, CKF_ENCRYPT | CKF_DECRYPT, true, 0x1086},
    {"aes_gcm", AES, GCM, CKF_ENCRYPT | CKF_DECRYPT, true, 0x1087},
    {"aes_cmac", AES, CMAC, CKF_SIGN | CKF_VERIFY, true, 0x108A},
    {"generic_key_gen", GENERIC, KEY_GEN, CKF_GENERATE, true, 0x350},
    {"sha256_hmac", GENERIC, HMAC_SHA256, CKF_SIGN | CKF_VERIFY, true, 0x251},
    {"sm4_key_gen", SM4, KEY_GEN, CKF_GENERATE, false, 0},
    {"sm4_ecb", SM4, ECB, CKF_ENCRYPT | CKF_DECRYPT, false, 0},
    {"sm4_cbc", SM4, CBC, CKF_ENCRYPT | CKF_DECRYPT, false, 0},
    {"sm4_cbc_pad", SM4, CBC_PAD, CKF_ENCRYPT | CKF_DECRYPT, false, 0},
    {"sm4_ctr", SM4, CTR, CKF_ENCRYPT | CKF_DECRYPT, false, 0},
    {"sm4_gcm", SM4, GCM, CKF_ENCRYPT | CKF_DECRYPT, false, 0},
    {"sm4_mac", SM4, CBC_MAC, CKF_SIGN | CKF_VERIFY, false, 0},
    {"sm4_mac_general", SM4, CBC_MAC_GENERAL, CKF_SIGN | CKF_VERIFY, false, 0},
    {"sm4_cmac", SM4, CMAC, CKF_SIGN | CKF_VERIFY, false, 0},
    {"sm3_hmac", GENERIC, HMAC_SM3, CKF_SIGN | CKF_VERIFY, false, 0},
};

/* What vendors call SM4, as far as it is public; the type is an offset to 0x80000000. */
static const struct {
  const char *name;
  CK_ULONG keyType;
  const char *numbers;
} profiles[] = {
    {"sansec", 0x106,
     "sm4_key_gen=0x80000107 sm4_ecb=0x80000108 sm4_cbc=0x80000109 sm4_ctr=0x8000010A "
     "sm4_cbc_pad=0x8000A201"},
    {"tass", 0x2,
     "sm4_key_gen=0x80000107 sm4_ecb=0x80000108 sm4_cbc=0x80000109 sm4_mac=0x8000010A "
     "sm4_mac_general=0x8000010B sm4_cbc_pad=0x8000010C"},
    {"koal", 0x106,
     "sm4_key_gen=0x80000107 sm4_ecb=0x80000108 sm4_cbc=0x80000109 sm4_cbc_pad=0x8000010C "
     "sm4_gcm=0x8000010F"},
    {"westone", 0x5,
     "sm4_key_gen=0x80000028 sm4_ecb=0x80000029 sm4_cbc=0x8000002A sm4_cbc_pad=0x8000002B"},
    {"luna", 0x15,
     "sm4_key_gen=0x80000B10 sm4_ecb=0x80000B11 sm4_cbc=0x80000B12 sm4_cbc_pad=0x80000B13"},
};

static _Thread_local char answer[256];

static const char *error(const char *what, const char *word) {
  snprintf(answer, sizeof answer, "error: %s: %s", what, word == NULL ? "nothing given" : word);
  return answer;
}

static const char *number(CK_ULONG value) {
  snprintf(answer, sizeof answer, "%lu", value);
  return answer;
}

/* Splits a line in place; words past the last stay null. */
static void split(char *line, char *words[WORDS + 1]) {
  char *rest = NULL;
  int count = 0;
  memset(words, 0, (WORDS + 1) * sizeof words[0]);
  for (char *word = strtok_r(line, " \t\r\n", &rest); word != NULL && count < WORDS;
       word = strtok_r(NULL, " \t\r\n", &rest)) {
    words[count++] = word;
  }
}

/* The value of "name=value", or null where the word is of another name. */
static const char *valueOf(const char *word, const char *name) {
  size_t length = strlen(name);
  return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static bool numeric(const char *text, CK_ULONG *value) {
  char *end = NULL;
  *value = strtoul(text, &end, 0);
  return end != text && *end == 0;
}

static bool resultCode(const char *text, CK_RV *code) {
  for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
    if (strcmp(text, results[i].name) == 0) {
      *code = results[i].code;
      return true;
    }
  }
  return numeric(text, code);
}

static int functionNamed(const char *name) {
  for (int i = 0; name != NULL && i < FUNCTION_COUNT; i++) {
    if (strcmp(name, functionNames[i]) == 0) {
      return i;
    }
  }
  return -1;
}

static bool hex(const char *text, CK_BYTE *bytes, size_t most, size_t *length) {
  *length = strlen(text) / 2;
  if (strlen(text) % 2 != 0 || *length > most) {
    return false;
  }
  for (size_t i = 0; i < *length; i++) {
    unsigned int value;
    if (sscanf(text + 2 * i, "%2x", &value) != 1) {
      return false;
    }
    bytes[i] = (CK_BYTE)value;
  }
  return true;
}

static struct slot *slotOf(const char *label) {
  for (int i = 0; label != NULL && i < SLOTS; i++) {
    if (state.slots[i].used && strcmp(state.slots[i].label, label) == 0) {
      return &state.slots[i];
    }
  }
  return NULL;
}

static bool setMechanism(struct slot *slot, const char *word) {
  for (int i = 0; i < MECHANISMS; i++) {
    struct mechanism *mechanism = &slot->mechanisms[i];
    const char *value = mechanism->name == NULL ? NULL : valueOf(word, mechanism->name);
    if (value != NULL) {
      mechanism->present = strcmp(value, "none") != 0;
      return !mechanism->present || numeric(value, &mechanism->number);
    }
  }
  return false;
}

static bool setProfile(struct slot *slot, const char *name) {
  for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
    if (strcmp(name, profiles[i].name) != 0) {
      continue;
    }
    char numbers[512];
    char *words[WORDS + 1];
    snprintf(numbers, sizeof numbers, "%s", profiles[i].numbers);
    split(numbers, words);
    for (int word = 0; words[word] != NULL; word++) {
      setMechanism(slot, words[word]);
    }
    slot->sm4Type = 0x80000000UL + profiles[i].keyType;
    return true;
  }
  return false;
}

static bool setOwnIv(struct slot *slot, const char *value) {
  static const char *const names[] = {"none", "init", "end", "append"};
  for (int i = 0; i < 4; i++) {
    if (strcmp(value, names[i]) == 0) {
      slot->ownIv = (enum ownIv)i;
      return true;
    }
  }
  return false;
}

static bool setPresence(struct slot *slot, bool gone) {
  if (gone && !slot->gone) {
    removeToken(slot);
  }
  slot->gone = gone;
  return true;
}

static bool setPinLocked(struct slot *slot, bool locked) {
  slot->pinLocked = locked;
  slot->wrongPins = locked ? slot->wrongPinsAllowed : 0;
  return true;
}

static bool setText(char *into, size_t size, const char *value) {
  return snprintf(into, size, "%s", value) < (int)size;
}

static bool applySetting(struct slot *slot, const char *word) {
  const char *value;
  CK_ULONG parsed = 0;
  if ((value = valueOf(word, "pin")) != NULL) return setText(slot->pin, sizeof slot->pin, value);
  if ((value = valueOf(word, "serial")) != NULL) {
    return setText(slot->serial, sizeof slot->serial, value);
  }
  if ((value = valueOf(word, "profile")) != NULL) return setProfile(slot, value);
  if ((value = valueOf(word, "own_iv")) != NULL) return setOwnIv(slot, value);
  if ((value = valueOf(word, "tag_error")) != NULL) return resultCode(value, &slot->tagError);
  value = strchr(word, '=');
  if (value == NULL || !numeric(value + 1, &parsed)) return false;
  if (valueOf(word, "gone")) return setPresence(slot, parsed != 0);
  if (valueOf(word, "pin_locked")) return setPinLocked(slot, parsed != 0);
  if (valueOf(word, "removable")) return slot->removable = parsed != 0, true;
  if (valueOf(word, "max_sessions")) return slot->sessionsAllowed = parsed, true;
  if (valueOf(word, "max_wrong_pins")) return slot->wrongPinsAllowed = parsed, true;
  if (valueOf(word, "text_limit")) return slot->textLimit = parsed, true;
  if (valueOf(word, "gcm_layout")) return slot->gcmLayout = parsed, true;
  return false;
}

static const char *settings(struct slot *slot, char **words) {
  for (; *words != NULL; words++) {
    if (!applySetting(slot, *words)) {
      return error("no such setting or value", *words);
    }
  }
  return "ok";
}

static const char *token(char **words) {
  for (int i = 0; words[0] != NULL && slotOf(words[0]) == NULL && i < SLOTS; i++) {
    struct slot *slot = &state.slots[i];
    if (slot->used) {
      continue;
    }
    memset(slot, 0, sizeof *slot);
    slot->used = true;
    slot->wrongPinsAllowed = 3;
    slot->tagError = CKR_ENCRYPTED_DATA_INVALID;
    memcpy(slot->mechanisms, commonMechanisms, sizeof commonMechanisms);
    snprintf(slot->label, sizeof slot->label, "%s", words[0]);
    snprintf(slot->serial, sizeof slot->serial, "TEST%04d", i + 1);
    return settings(slot, words + 1);
  }
  return error("label missing, taken, or too many tokens", words[0]);
}

static const char *mechanisms(struct slot *slot, char **words) {
  for (; *words != NULL; words++) {
    if (!setMechanism(slot, *words)) {
      return error("no such mechanism or number", *words);
    }
  }
  return "ok";
}

static bool keyType(const struct slot *slot, struct key *key, const char *value) {
  key->cipher = strcmp(value, "aes") == 0 ? AES : strcmp(value, "sm4") == 0 ? SM4 : GENERIC;
  key->type = key->cipher == AES   ? (CK_ULONG)CKK_AES
              : key->cipher == SM4 ? slot->sm4Type
                                   : (CK_ULONG)CKK_GENERIC_SECRET;
  return key->type != 0 && (key->cipher != GENERIC || strcmp(value, "generic") == 0);
}

static bool keyFlag(struct key *key, const char *word) {
  struct {
    const char *name;
    bool *flag;
  } flags[] = {{"private", &key->private},         {"sensitive", &key->sensitive},
               {"extractable", &key->extractable}, {"encrypt", &key->encrypt},
               {"decrypt", &key->decrypt},         {"sign", &key->sign},
               {"verify", &key->verify}};
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
    const char *value = valueOf(word, flags[i].name);
    if (value != NULL) {
      *flags[i].flag = strcmp(value, "1") == 0;
      return true;
    }
  }
  return false;
}

static bool keyProperty(const struct slot *slot, struct key *key, const char *word) {
  const char *value;
  if ((value = valueOf(word, "label")) != NULL) {
    key->labelLength = strlen(value);
    return setText(key->label, sizeof key->label, value);
  }
  if ((value = valueOf(word, "type")) != NULL) return keyType(slot, key, value);
  if ((value = valueOf(word, "id")) != NULL) {
    return hex(value, key->id, LONGEST_NAME, &key->idLength);
  }
  if ((value = valueOf(word, "value")) != NULL) {
    return hex(value, key->value, LONGEST_KEY, &key->valueLength);
  }
  if ((value = valueOf(word, "bytes")) != NULL) {
    key->valueLength = strtoul(value, NULL, 10);
    return key->valueLength <= LONGEST_KEY && RAND_bytes(key->value, (int)key->valueLength);
  }
  return keyFlag(key, word);
}

/* Keys that the configuration makes are as a careful operator would: they never leave the token. */
static const char *key(struct slot *slot, char **words) {
  struct key *key = addKey(slot);
  if (key == NULL) {
    return error("out of memory", *words);
  }
  key->private = key->sensitive = key->local = true;
  key->encrypt = key->decrypt = key->sign = key->verify = true;
  for (; *words != NULL; words++) {
    if (!keyProperty(slot, key, *words)) {
      dropKey(slot, key);
      return error("no such property or value of a key", *words);
    }
  }
  key->alwaysSensitive = key->sensitive;
  key->neverExtractable = !key->extractable;
  return "ok";
}

static const char *removeKeys(struct slot *slot, const char *word) {
  const char *label = word == NULL ? NULL : valueOf(word, "label");
  if (label == NULL) {
    return error("label expected", word);
  }
  CK_ULONG removed = 0;
  for (struct key *key = slot->keys, *next; key != NULL; key = next) {
    next = key->next;
    if (strlen(label) == key->labelLength && memcmp(label, key->label, key->labelLength) == 0) {
      dropKey(slot, key);
      removed++;
    }
  }
  return number(removed);
}

static const char *addFault(enum action action, char **words) {
  struct fault fault = {.used = true, .action = action, .times = action == FAIL ? 1 : 0};
  bool any = words[0] != NULL && strcmp(words[0], "*") == 0;
  fault.called = any ? -1 : functionNamed(words[0]);
  if (!any && fault.called < 0) return error("no such function", words[0]);
  if (words[1] == NULL || !resultCode(words[1], &fault.value)) {
    return error("no such code or number", words[1]);
  }
  for (words += 2; *words != NULL; words++) {
    const char *from = valueOf(*words, "from");
    const char *times = valueOf(*words, "times");
    bool good = from != NULL    ? numeric(from, &fault.before) && fault.before-- > 0
                : times != NULL ? numeric(times, &fault.times)
                                : false;
    if (!good) return error("from or times expected", *words);
  }
  fault.times = fault.times == 0 ? CK_UNAVAILABLE : fault.times;
  for (int i = 0; i < FAULTS; i++) {
    if (!state.faults[i].used) {
      state.faults[i] = fault;
      return "ok";
    }
  }
  return error("too many faults", words[0]);
}

static const char *hold(const char *name) {
  int called = functionNamed(name);
  if (called < 0) return error("no such function", name);
  state.held[called] = true;
  return "ok";
}

static const char *release(void) {
  memset(state.held, 0, sizeof state.held);
  pthread_cond_broadcast(&state.released);
  return "ok";
}

static const char *heal(void) {
  memset(state.faults, 0, sizeof state.faults);
  return release();
}

static const char *forget(void) {
  memset(state.calls, 0, sizeof state.calls);
  memset(state.peak, 0, sizeof state.peak);
  return "ok";
}

static const char *reset(void) {
  closeSessions(NULL);
  for (int i = 0; i < SLOTS; i++) {
    while (state.slots[i].keys != NULL) {
      dropKey(&state.slots[i], state.slots[i].keys);
    }
  }
  memset(state.slots, 0, sizeof state.slots);
  state.log[0] = 0;
  heal();
  return forget();
}

static const char *count(const CK_ULONG counts[FUNCTION_COUNT], const char *name) {
  int called = functionNamed(name);
  return called < 0 ? error("no such function", name) : number(counts[called]);
}

static const char *die(const char *label) {
  struct slot *slot = slotOf(label);
  if (label != NULL && slot == NULL) return error("no such token", label);
  closeSessions(slot);
  return "ok";
}

static CK_ULONG openSessions(const struct slot *slot) {
  CK_ULONG open = 0;
  for (int i = 0; i < SESSIONS; i++) {
    open += state.sessions[i].handle != 0 && state.sessions[i].slot == slot;
  }
  return open;
}

static const char *setLog(const char *path) {
  return setText(state.log, sizeof state.log, path == NULL ? "" : path) ? "ok"
                                                                       : error("too long", path);
}

static const char *ofToken(const char *command, char **words) {
  struct slot *slot = slotOf(words[0]);
  if (slot == NULL) return error("no such token", words[0]);
  if (strcmp(command, "set") == 0) return settings(slot, words + 1);
  if (strcmp(command, "mechanism") == 0) return mechanisms(slot, words + 1);
  if (strcmp(command, "key") == 0) return key(slot, words + 1);
  if (strcmp(command, "remove") == 0) return removeKeys(slot, words[1]);
  if (strcmp(command, "logout") == 0) return slot->loggedIn = false, "ok";
  if (strcmp(command, "sessions") == 0) return number(openSessions(slot));
  if (strcmp(command, "wrong_pins") == 0) return number(slot->wrongPins);
  return error("no such command", command);
}

static const char *obey(char **words) {
  const char *command = words[0];
  words++;
  if (command == NULL || command[0] == '#') return "ok";
  if (strcmp(command, "token") == 0) return token(words);
  if (strcmp(command, "fail") == 0) return addFault(FAIL, words);
  if (strcmp(command, "delay") == 0) return addFault(DELAY, words);
  if (strcmp(command, "hold") == 0) return hold(words[0]);
  if (strcmp(command, "release") == 0) return release();
  if (strcmp(command, "heal") == 0) return heal();
  if (strcmp(command, "die") == 0) return die(words[0]);
  if (strcmp(command, "finalize") == 0) return finalize() == CKR_OK ? "ok" : error("not", command);
  if (strcmp(command, "initialize") == 0) {
    return initialize() == CKR_OK ? "ok" : error("not", command);
  }
  if (strcmp(command, "calls") == 0) return count(state.calls, words[0]);
  if (strcmp(command, "inside") == 0) return count(state.inside, words[0]);
  if (strcmp(command, "peak") == 0) return count(state.peak, words[0]);
  if (strcmp(command, "forget") == 0) return forget();
  if (strcmp(command, "log") == 0) return setLog(words[0]);
  if (strcmp(command, "reset") == 0) return reset();
  return ofToken(command, words);
}

static const char *obeyLine(const char *line) {
  char copy[2048];
  char *words[WORDS + 1];
  if (!setText(copy, sizeof copy, line)) return error("command too long", "");
  split(copy, words);
  return obey(words);
}

/* A configuration with a mistake must not pass for an empty one. */
void readConfiguration(void) {
  const char *path = getenv("TESTTOKEN_CONFIG");
  if (path == NULL || state.configured) {
    return;
  }
  state.configured = true;
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    perror(path);
    abort();
  }
  char line[2048];
  while (fgets(line, sizeof line, file) != NULL) {
    const char *said = obeyLine(line);
    if (strncmp(said, "error", 5) == 0) {
      fprintf(stderr, "testtoken: %s: %s in: %s", path, said, line);
      abort();
    }
  }
  fclose(file);
}

__attribute__((visibility("default"))) const char *testtoken_control(const char *command);

/* The answer stays until the same thread's next command. */
const char *testtoken_control(const char *command) {
  pthread_mutex_lock(&state.lock);
  readConfiguration();
  const char *said = obeyLine(command);
  pthread_mutex_unlock(&state.lock);
  return said;
}
