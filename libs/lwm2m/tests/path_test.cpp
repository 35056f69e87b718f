#include "lwm2m/path.hpp"

#include <set>
#include <unordered_set>

#include <gtest/gtest.h>

namespace lanyard::lwm2m {
namespace {

TEST(Path, ParsesWithAndWithoutSlashes) {
    const Path expected{3303, 0, 5700};
    EXPECT_EQ(Path::parse("/3303/0/5700").value(), expected);
    EXPECT_EQ(Path::parse("3303/0/5700").value(), expected);
    EXPECT_EQ(Path::parse("/3303/0/5700/").value(), expected);
    EXPECT_EQ(Path::parse("/3/0/11/65534").value(), (Path{3, 0, 11, 65534}));
}

TEST(Path, TakesSlashAndNothingAsTheRoot) {
    EXPECT_TRUE(Path::parse("/").value().is_root());
    EXPECT_TRUE(Path::parse("").value().is_root());
    EXPECT_EQ(Path{}.to_string(), "/");
}

class PathRejects : public testing::TestWithParam<const char*> {};
TEST_P(PathRejects, Text) {
    EXPECT_EQ(Path::parse(GetParam()).error().code, Errc::invalid_argument);
}
INSTANTIATE_TEST_SUITE_P(Path, PathRejects,
                         testing::Values("//", "/3//0", "/65535", "/65536", "/99999999999", "/-1", "/+1", "/3/0/1/2/3",
                                         "/a", "/3a", "/3 ", " /3", "/3/0//", "/0x3"));

TEST(Path, WritesWhatItParses) {
    for (const char* text : {"/", "/3", "/3/0", "/3303/65534/5700", "/1/2/3/4"}) {
        EXPECT_EQ(Path::parse(text).value().to_string(), text);
    }
}

TEST(Path, ContainsWhatLiesBelow) {
    const Path instance{3, 0};
    EXPECT_TRUE(instance.contains({3, 0}));
    EXPECT_TRUE(instance.contains({3, 0, 9}));
    EXPECT_FALSE(instance.contains({3}));
    EXPECT_FALSE(instance.contains({3, 1, 9}));
    EXPECT_TRUE(Path{}.contains(instance));
}

TEST(Path, GivesIdsByLevel) {
    const Path path{3, 0, 9};
    EXPECT_EQ(path.object(), 3);
    EXPECT_EQ(path.instance(), 0);
    EXPECT_EQ(path.resource(), 9);
    EXPECT_EQ(path.resource_instance(), std::nullopt);
    EXPECT_EQ(path.prefix(1), Path{3});
    EXPECT_EQ(path.prefix(9), path);
}

TEST(Path, RefusesAFifthLevelAndTheReservedId) {
    EXPECT_EQ((Path{3, 0}.child(9).value()), (Path{3, 0, 9}));
    EXPECT_FALSE((Path{3, 0, 9, 1}.child(0).has_value()));
    EXPECT_FALSE((Path{3}.child(65535).has_value()));
}

TEST(Path, SortsDepthFirst) {
    const std::set<Path> paths{{3, 0, 9}, {3}, {4}, {3, 0}, {}, {3, 1}};
    const std::vector<Path> expected{{}, {3}, {3, 0}, {3, 0, 9}, {3, 1}, {4}};
    EXPECT_TRUE(std::equal(paths.begin(), paths.end(), expected.begin(), expected.end()));
}

TEST(Path, TellsTheRootFromZeroesInHashTables) {
    const std::unordered_set<Path> paths{{}, {0}, {0, 0}, {0, 0, 0}, {0, 0, 0, 0}};
    EXPECT_EQ(paths.size(), 5U);
    EXPECT_NE((Path{0}.hash()), (Path{0, 0}.hash()));
}

}  // namespace
}  // namespace lanyard::lwm2m
