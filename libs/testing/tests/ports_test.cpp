#include "testing/ports.hpp"

#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lanyard::testing {
namespace {

TEST(Ports, LieOutsideTheRangeOfOutgoingConnections) {
    int low = 0;
    int high = 0;
    ASSERT_TRUE(std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low >> high);
    const int port = reserve_port();
    EXPECT_TRUE(port < low || port > high) << port;
}

TEST(Ports, AreNeverGivenTwiceNorToAnotherProcess) {
    std::set<std::uint16_t> mine;
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(mine.insert(reserve_port()).second);
    // With 300 of some 23,000 taken, 300 more would hit one of them nearly surely if the child did not see them.
    const pid_t child = fork();
    if (child == 0) {
        bool clear = true;
        for (int i = 0; i < 300; ++i) clear = clear && !mine.contains(reserve_port());
        _exit(clear ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the child was given a port of its parent, or none";
}

}  // namespace
}  // namespace lanyard::testing
