# SM4 of Luna with the firmware that has it. No GCM.
algorithm = sm4
key_type = 0x80000015
ecb = 0x80000B11
cbc = 0x80000B12
