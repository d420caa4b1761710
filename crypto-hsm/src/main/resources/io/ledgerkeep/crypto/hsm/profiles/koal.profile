# SM4 of Koal, with GCM. What type its keys have is not public, so any is taken.
algorithm = sm4
ecb = 0x80000108
cbc = 0x80000109
gcm = 0x8000010F
