// libmemcached as Swift sees it.
#pragma once

#include <libmemcached/memcached.h>

// 1.1.4 is the oldest release Spiral was measured with: earlier ones report other
// errors for a failed dial, and every error Spiral counts is named from them.
#if !defined(LIBMEMCACHED_VERSION_HEX) || LIBMEMCACHED_VERSION_HEX < 0x001001004
#error "Spiral needs libmemcached 1.1.4 or newer: install libmemcached-dev from Debian 12, Ubuntu 24.04 or later"
#endif
