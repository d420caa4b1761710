# AES with the numbers of PKCS#11 2.40. The MAC is CMAC, with 16 bytes.
algorithm = aes
key_type = 0x1F
ecb = 0x1081
cbc = 0x1082
gcm = 0x1087
mac = 0x108A
mac_key_type = 0x1F
