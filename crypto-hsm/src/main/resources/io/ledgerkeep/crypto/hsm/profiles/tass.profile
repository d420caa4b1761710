# SM4 of TASS. No GCM; the MAC that takes its length as a parameter gives the whole block.
algorithm = sm4
key_type = 0x80000002
ecb = 0x80000108
cbc = 0x80000109
mac = 0x8000010B
mac_length = true
mac_key_type = 0x80000002
