#ifndef BUILD_FACTS_H
#define BUILD_FACTS_H

/// The commit this was built from; empty where the build was not told (SPIRAL_COMMIT in its environment).
const char *spiral_commit(void);

#endif
