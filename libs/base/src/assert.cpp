#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

#include <execinfo.h>

namespace lanyard {

void assert_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "invariant broken: %s at %s:%d\n", condition, file, line);
    void* frames[32];
    const int depth = backtrace(frames, 32);
    backtrace_symbols_fd(frames, depth, 2);
    std::abort();
}

}  // namespace lanyard
