// A program with Swift's runtime linked into it holds ICU's data on every language of the world, 34 MB, because Yams
// imports Foundation. Nothing here formats or compares in a language. Where the build asks for it, this empty table of
// contents (ICU's "common data", ucmndata.h) has the name that the linker looks for, and the real one stays in its archive.
#ifdef SPIRAL_LOCALE_DATA
#include <stdint.h>

__attribute__((aligned(16))) const struct {
    uint16_t headerSize;
    uint8_t magic[2];
    uint16_t infoSize;
    uint16_t reserved;
    uint8_t isBigEndian, charset, unitSize, padding;
    uint8_t format[4], formatVersion[4], dataVersion[4];
    uint8_t fill[8];
    uint32_t count;
    uint32_t end[3];
} SPIRAL_LOCALE_DATA = {
    .headerSize = 32,
    .magic = {0xda, 0x27},
    .infoSize = 20,
    .isBigEndian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
    .unitSize = 2,
    .format = {'C', 'm', 'n', 'D'},
    .formatVersion = {1},
};
#endif
