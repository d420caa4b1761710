# SM4 of the emulator of xipki. No GCM; the MAC gives half a block, too little for us.
algorithm = sm4
key_type = 0xFFFF0002
ecb = 0xFFFF0007
cbc = 0xFFFF0008
