// zlib as Swift sees it.
#pragma once

#include <zlib.h>
