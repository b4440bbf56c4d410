#include "build_facts.h"

#ifndef SPIRAL_COMMIT
#define SPIRAL_COMMIT ""
#endif

const char *spiral_commit(void) { return SPIRAL_COMMIT; }
