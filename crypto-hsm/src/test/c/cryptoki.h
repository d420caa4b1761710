/*
 * What this module needs of PKCS#11 (2.40): structures, in the layout of 64-bit Unix systems, and
 * constants. Written for this module from the standard's text.
 */
#ifndef LEDGERKEEP_CRYPTOKI_H
#define LEDGERKEEP_CRYPTOKI_H

typedef unsigned char CK_BYTE;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;

#define CK_UNAVAILABLE (~0UL)

typedef struct {
  CK_BYTE major;
  CK_BYTE minor;
} CK_VERSION;

typedef struct {
  CK_VERSION cryptokiVersion;
  CK_BYTE manufacturerID[32];
  CK_ULONG flags;
  CK_BYTE libraryDescription[32];
  CK_VERSION libraryVersion;
} CK_INFO;

typedef struct {
  CK_BYTE slotDescription[64];
  CK_BYTE manufacturerID[32];
  CK_ULONG flags;
  CK_VERSION hardwareVersion;
  CK_VERSION firmwareVersion;
} CK_SLOT_INFO;

typedef struct {
  CK_BYTE label[32];
  CK_BYTE manufacturerID[32];
  CK_BYTE model[16];
  CK_BYTE serialNumber[16];
  CK_ULONG flags;
  CK_ULONG ulMaxSessionCount;
  CK_ULONG ulSessionCount;
  CK_ULONG ulMaxRwSessionCount;
  CK_ULONG ulRwSessionCount;
  CK_ULONG ulMaxPinLen;
  CK_ULONG ulMinPinLen;
  CK_ULONG ulTotalPublicMemory;
  CK_ULONG ulFreePublicMemory;
  CK_ULONG ulTotalPrivateMemory;
  CK_ULONG ulFreePrivateMemory;
  CK_VERSION hardwareVersion;
  CK_VERSION firmwareVersion;
  CK_BYTE utcTime[16];
} CK_TOKEN_INFO;

typedef struct {
  CK_ULONG slotID;
  CK_ULONG state;
  CK_ULONG flags;
  CK_ULONG ulDeviceError;
} CK_SESSION_INFO;

typedef struct {
  CK_ULONG type;
  void *pValue;
  CK_ULONG ulValueLen;
} CK_ATTRIBUTE;

typedef struct {
  CK_ULONG mechanism;
  void *pParameter;
  CK_ULONG ulParameterLen;
} CK_MECHANISM;

typedef struct {
  CK_ULONG ulMinKeySize;
  CK_ULONG ulMaxKeySize;
  CK_ULONG flags;
} CK_MECHANISM_INFO;

/* The layout of GCM parameters since 2.40. */
typedef struct {
  CK_BYTE *pIv;
  CK_ULONG ulIvLen;
  CK_ULONG ulIvBits;
  CK_BYTE *pAAD;
  CK_ULONG ulAADLen;
  CK_ULONG ulTagBits;
} CK_GCM_PARAMS;

/* The layout in the headers of 2.30, which many vendors still ask for. */
typedef struct {
  CK_BYTE *pIv;
  CK_ULONG ulIvLen;
  CK_BYTE *pAAD;
  CK_ULONG ulAADLen;
  CK_ULONG ulTagBits;
} CK_GCM_PARAMS_230;

typedef struct {
  CK_ULONG ulCounterBits;
  CK_BYTE cb[16];
} CK_AES_CTR_PARAMS;

/* Every function of the function list, in the standard's order. */
#define FUNCTIONS(F)                                                                          \
  F(C_Initialize) F(C_Finalize) F(C_GetInfo) F(C_GetFunctionList) F(C_GetSlotList)            \
  F(C_GetSlotInfo) F(C_GetTokenInfo) F(C_GetMechanismList) F(C_GetMechanismInfo)              \
  F(C_InitToken) F(C_InitPIN) F(C_SetPIN) F(C_OpenSession) F(C_CloseSession)                  \
  F(C_CloseAllSessions) F(C_GetSessionInfo) F(C_GetOperationState) F(C_SetOperationState)     \
  F(C_Login) F(C_Logout) F(C_CreateObject) F(C_CopyObject) F(C_DestroyObject)                 \
  F(C_GetObjectSize) F(C_GetAttributeValue) F(C_SetAttributeValue) F(C_FindObjectsInit)       \
  F(C_FindObjects) F(C_FindObjectsFinal) F(C_EncryptInit) F(C_Encrypt) F(C_EncryptUpdate)     \
  F(C_EncryptFinal) F(C_DecryptInit) F(C_Decrypt) F(C_DecryptUpdate) F(C_DecryptFinal)        \
  F(C_DigestInit) F(C_Digest) F(C_DigestUpdate) F(C_DigestKey) F(C_DigestFinal) F(C_SignInit) \
  F(C_Sign) F(C_SignUpdate) F(C_SignFinal) F(C_SignRecoverInit) F(C_SignRecover)              \
  F(C_VerifyInit) F(C_Verify) F(C_VerifyUpdate) F(C_VerifyFinal) F(C_VerifyRecoverInit)       \
  F(C_VerifyRecover) F(C_DigestEncryptUpdate) F(C_DecryptDigestUpdate)                        \
  F(C_SignEncryptUpdate) F(C_DecryptVerifyUpdate) F(C_GenerateKey) F(C_GenerateKeyPair)       \
  F(C_WrapKey) F(C_UnwrapKey) F(C_DeriveKey) F(C_SeedRandom) F(C_GenerateRandom)              \
  F(C_GetFunctionStatus) F(C_CancelFunction) F(C_WaitForSlotEvent)

#define NUMBERED(name) FUNCTION_##name,
enum function { FUNCTIONS(NUMBERED) FUNCTION_COUNT };
#undef NUMBERED

typedef struct {
  CK_VERSION version;
  void (*functions[FUNCTION_COUNT])(void);
} CK_FUNCTION_LIST;

/* Result codes: R(name, number). */
#define RESULTS(R)                                                                    \
  R(CKR_OK, 0x0) R(CKR_HOST_MEMORY, 0x2) R(CKR_SLOT_ID_INVALID, 0x3)                  \
  R(CKR_GENERAL_ERROR, 0x5) R(CKR_FUNCTION_FAILED, 0x6) R(CKR_ARGUMENTS_BAD, 0x7)     \
  R(CKR_ATTRIBUTE_READ_ONLY, 0x10) R(CKR_ATTRIBUTE_SENSITIVE, 0x11)                   \
  R(CKR_ATTRIBUTE_TYPE_INVALID, 0x12) R(CKR_ATTRIBUTE_VALUE_INVALID, 0x13)            \
  R(CKR_DATA_INVALID, 0x20) R(CKR_DATA_LEN_RANGE, 0x21) R(CKR_DEVICE_ERROR, 0x30)     \
  R(CKR_DEVICE_MEMORY, 0x31) R(CKR_DEVICE_REMOVED, 0x32)                              \
  R(CKR_ENCRYPTED_DATA_INVALID, 0x40) R(CKR_ENCRYPTED_DATA_LEN_RANGE, 0x41)           \
  R(CKR_AEAD_DECRYPT_FAILED, 0x42) R(CKR_FUNCTION_CANCELED, 0x50)                     \
  R(CKR_FUNCTION_NOT_SUPPORTED, 0x54) R(CKR_KEY_HANDLE_INVALID, 0x60)                 \
  R(CKR_KEY_SIZE_RANGE, 0x62) R(CKR_KEY_TYPE_INCONSISTENT, 0x63)                      \
  R(CKR_KEY_FUNCTION_NOT_PERMITTED, 0x68) R(CKR_MECHANISM_INVALID, 0x70)              \
  R(CKR_MECHANISM_PARAM_INVALID, 0x71) R(CKR_OBJECT_HANDLE_INVALID, 0x82)             \
  R(CKR_OPERATION_ACTIVE, 0x90) R(CKR_OPERATION_NOT_INITIALIZED, 0x91)                \
  R(CKR_PIN_INCORRECT, 0xA0) R(CKR_PIN_LEN_RANGE, 0xA2) R(CKR_PIN_EXPIRED, 0xA3)      \
  R(CKR_PIN_LOCKED, 0xA4) R(CKR_SESSION_CLOSED, 0xB0) R(CKR_SESSION_COUNT, 0xB1)      \
  R(CKR_SESSION_HANDLE_INVALID, 0xB3) R(CKR_SESSION_PARALLEL_NOT_SUPPORTED, 0xB4)     \
  R(CKR_SESSION_READ_ONLY, 0xB5) R(CKR_SIGNATURE_INVALID, 0xC0)                       \
  R(CKR_SIGNATURE_LEN_RANGE, 0xC1) R(CKR_TEMPLATE_INCOMPLETE, 0xD0)                   \
  R(CKR_TEMPLATE_INCONSISTENT, 0xD1) R(CKR_TOKEN_NOT_PRESENT, 0xE0)                   \
  R(CKR_TOKEN_NOT_RECOGNIZED, 0xE1) R(CKR_USER_ALREADY_LOGGED_IN, 0x100)              \
  R(CKR_USER_NOT_LOGGED_IN, 0x101) R(CKR_USER_TYPE_INVALID, 0x103)                    \
  R(CKR_BUFFER_TOO_SMALL, 0x150) R(CKR_CRYPTOKI_NOT_INITIALIZED, 0x190)               \
  R(CKR_CRYPTOKI_ALREADY_INITIALIZED, 0x191)

#define NUMBERED(name, number) name = number,
enum { RESULTS(NUMBERED) };
#undef NUMBERED

enum {
  CKF_TOKEN_PRESENT = 0x1,
  CKF_REMOVABLE_DEVICE = 0x2,
  CKF_HW_SLOT = 0x4,

  CKF_RNG = 0x1,
  CKF_LOGIN_REQUIRED = 0x4,
  CKF_USER_PIN_INITIALIZED = 0x8,
  CKF_TOKEN_INITIALIZED = 0x400,
  CKF_USER_PIN_COUNT_LOW = 0x10000,
  CKF_USER_PIN_FINAL_TRY = 0x20000,
  CKF_USER_PIN_LOCKED = 0x40000,

  CKF_RW_SESSION = 0x2,
  CKF_SERIAL_SESSION = 0x4,

  CKF_HW = 0x1,
  CKF_ENCRYPT = 0x100,
  CKF_DECRYPT = 0x200,
  CKF_SIGN = 0x800,
  CKF_VERIFY = 0x2000,
  CKF_GENERATE = 0x8000,

  CKS_RO_PUBLIC_SESSION = 0,
  CKS_RO_USER_FUNCTIONS = 1,
  CKS_RW_PUBLIC_SESSION = 2,
  CKS_RW_USER_FUNCTIONS = 3,

  CKU_USER = 1,

  CKO_SECRET_KEY = 4,
  CKK_GENERIC_SECRET = 0x10,
  CKK_AES = 0x1F,

  CKA_CLASS = 0x0,
  CKA_TOKEN = 0x1,
  CKA_PRIVATE = 0x2,
  CKA_LABEL = 0x3,
  CKA_VALUE = 0x11,
  CKA_KEY_TYPE = 0x100,
  CKA_ID = 0x102,
  CKA_SENSITIVE = 0x103,
  CKA_ENCRYPT = 0x104,
  CKA_DECRYPT = 0x105,
  CKA_WRAP = 0x106,
  CKA_UNWRAP = 0x107,
  CKA_SIGN = 0x108,
  CKA_VERIFY = 0x10A,
  CKA_DERIVE = 0x10C,
  CKA_VALUE_LEN = 0x161,
  CKA_EXTRACTABLE = 0x162,
  CKA_LOCAL = 0x163,
  CKA_NEVER_EXTRACTABLE = 0x164,
  CKA_ALWAYS_SENSITIVE = 0x165,
  CKA_MODIFIABLE = 0x170
};

#endif
