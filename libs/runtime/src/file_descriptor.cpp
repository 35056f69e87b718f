#include "runtime/file_descriptor.hpp"

#include <unistd.h>

namespace lanyard::runtime {

void FileDescriptor::reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

}  // namespace lanyard::runtime
