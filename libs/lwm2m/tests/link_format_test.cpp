#include "lwm2m/link_format.hpp"

#include <gtest/gtest.h>

#include "lwm2m/attributes.hpp"
#include "lwm2m/limits.hpp"
#include "lwm2m/object_links.hpp"

namespace lanyard::lwm2m {
namespace {

// "/3 1.1 [0]" for each object.
std::vector<std::string> objects_of(const Result<ObjectList>& list) {
    if (!list) return {"error " + list.error().message};
    std::vector<std::string> result;
    for (const auto& object : list->objects) {
        std::string text = "/" + std::to_string(object.id) + " " + object.version.to_string() + " [";
        for (const auto id : object.instances) text += (text.back() == '[' ? "" : " ") + std::to_string(id);
        result.push_back(text + "]");
    }
    return result;
}
std::vector<std::string> objects_of(std::string_view payload, Version enabler) {
    return objects_of(parse_object_list(payload, enabler));
}
using Objects = std::vector<std::string>;

constexpr Version kV10{1, 0};
constexpr Version kV11{1, 1};
constexpr Version kV12{1, 2};
const Objects kExample{"/1 1.0 [0 1]", "/2 1.0 [0 1 2 3 4]", "/3 1.0 [0]", "/4 1.0 [0]", "/5 1.0 []"};

TEST(ObjectList, ReadsARegisterPayload) {  // LF-01: Core 1.2 section 6.2.1
    EXPECT_EQ(objects_of("</1/0>,</1/1>,</2/0>,</2/1>,</2/2>,</2/3>,</2/4>,</3/0>,</4/0>,</5>", kV10), kExample);
}

TEST(ObjectList, ReadsFormats) {  // LF-02, LF-03
    const auto one =
        parse_object_list("</>;ct=110, </1/0>,</1/1>,</2/0>,</2/1>,</2/2>,</2/3>,</2/4>,</3/0>,</4/0>,</5>", kV10);
    EXPECT_EQ(objects_of(one), kExample);
    EXPECT_EQ(one->formats, std::vector{ContentFormat::senml_json});
    EXPECT_EQ(parse_object_list("</>;ct=\"110 112 60\", </1/0>", kV11)->formats,
              (std::vector{ContentFormat::senml_json, ContentFormat::senml_cbor, ContentFormat::cbor}));
    EXPECT_EQ(parse_object_list("</>;ct=\"0 9999 x  70000 0\"", kV11)->formats, std::vector{ContentFormat::text});
}

TEST(ObjectList, GivesVersionsByEnablerRelease) {  // LF-04, LF-05, LF-06: Core 1.2 section 7.2.3
    EXPECT_EQ(objects_of("</1>;ver=1.0,</1/0>,</1/1>,</3/0>", kV11), (Objects{"/1 1.0 [0 1]", "/3 1.1 [0]"}));
    EXPECT_EQ(objects_of("</1/0>,</1/1>,</3/0>,</44/0>;ver=2.2", kV10),
              (Objects{"/1 1.0 [0 1]", "/3 1.0 [0]", "/44 2.2 [0]"}));
    EXPECT_EQ(objects_of("</1>,</1/0>,</1/1>,</3/0>,</4/0>", kV11),
              (Objects{"/1 1.1 [0 1]", "/3 1.1 [0]", "/4 1.2 [0]"}));
    EXPECT_EQ(objects_of("</1/0>,</2>,</3/0>,</4/0>,</5>,</6>,</7>,</3303/0>", kV12),
              (Objects{"/1 1.2 [0]", "/2 1.1 []", "/3 1.2 [0]", "/4 1.3 [0]", "/5 1.1 []", "/6 1.0 []", "/7 1.0 []",
                       "/3303 1.0 [0]"}));
    EXPECT_EQ(default_object_version(21, kV12), (Version{2, 0}));
}

TEST(ObjectList, TakesTheAlternatePathOff) {  // LF-07: Transport 1.1 section 6.4.1
    const auto list = parse_object_list(
        "</lwm2m>;rt=\"oma.lwm2m\",</lwm2m/1/0>,</lwm2m/1/1>,</lwm2m/2/0>,</lwm2m/2/1>,</lwm2m/2/2>,</lwm2m/2/3>,"
        "</lwm2m/2/4>,</lwm2m/3/0>,</lwm2m/4/0>,</lwm2m/5>",
        kV10);
    EXPECT_EQ(objects_of(list), kExample);
    EXPECT_EQ(list->root_path, "/lwm2m");
}

TEST(ObjectList, IgnoresWhatLiesOutsideTheAlternatePath) {
    EXPECT_EQ(objects_of("</3/0>,</a%20b/>;rt=\"x oma.lwm2m\";ct=110,</a%20b/3/1>,</ab/3/2>,</a%20bc/3/3>", kV10),
              (Objects{"/3 1.0 [1]"}));
    const auto list = parse_object_list("</a%20b/>;rt=\"oma.lwm2m\";ct=110", kV10);
    EXPECT_EQ(list->root_path, "/a b");
    EXPECT_EQ(list->formats, std::vector{ContentFormat::senml_json});
}

TEST(ObjectList, TakesTheRootAsAlternatePath) {  // LF-08, LF-09: payloads of Leshan and Wakaama
    const auto list = parse_object_list(
        "</>;rt=\"oma.lwm2m\";ct=\"60 110 112 1542 1543 11542 11543\",</1/0>,</2>,</3/0>,</3442/0>", kV11);
    EXPECT_EQ(list->root_path, "");
    EXPECT_EQ(list->formats.size(), 7U);
    EXPECT_EQ(objects_of(list), (Objects{"/1 1.1 [0]", "/2 1.0 []", "/3 1.1 [0]", "/3442 1.0 [0]"}));
    EXPECT_EQ(
        objects_of("</>;rt=\"oma.lwm2m\";rt=\"oma.lwm2m\";ct=110,</28180>;ver=0.4,</28152>;ver=0.2,</30000>;ver=0.1,"
                   "</28181>;ver=0.2,</28183>;ver=0.1,</28182>;ver=0.2,</1>,</3>;ver=1.0,</4>;ver=1.2,</5>;ver=1.0 ",
                   kV11)
            .size(),
        10U);
}

TEST(ObjectList, DropsWhatNoServerMayTouch) {
    EXPECT_EQ(objects_of("</0/0>,</21/0>,</23>,</3/0>", kV11), (Objects{"/3 1.1 [0]"}));
}

TEST(ObjectList, MergesRepeatedLinks) {
    EXPECT_EQ(objects_of("</3/0>,</3/0>,</3>;ver=1.0,</3>;ver=\"1.2\",</3/0/>", kV11), (Objects{"/3 1.2 [0]"}));
}

TEST(ObjectList, IgnoresLinksOfOtherResources) {
    EXPECT_EQ(objects_of("</sensors>,<coap://a/3/0>,</3/0/1>,</d01/3/0>,</3/0>,</%zz>", kV10), (Objects{"/3 1.0 [0]"}));
}

TEST(ObjectList, RejectsBadIdsVersionsAndRoots) {
    for (const char* bad : {"</65535>", "</99999/0>", "</3/65535>", "</3>;ver=x", "</3>;ver=\"1.\"",
                            "</a>;rt=\"oma.lwm2m\",</b>;rt=\"oma.lwm2m\"", "</1//2>"}) {
        EXPECT_EQ(parse_object_list(bad, kV11).error().code, Errc::invalid_argument) << bad;
    }
}

TEST(ObjectList, BoundsObjectsAndInstances) {
    std::string objects;
    for (std::size_t i = 0; i <= kMaxObjects; ++i) objects += (i ? ",</" : "</") + std::to_string(1000 + i) + ">";
    EXPECT_EQ(parse_object_list(objects, kV11).error().code, Errc::too_large);
    std::string instances;
    for (std::size_t i = 0; i <= kMaxInstances; ++i) instances += (i ? ",</3/" : "</3/") + std::to_string(i) + ">";
    EXPECT_EQ(parse_object_list(instances, kV11).error().code, Errc::too_large);
}

TEST(ObjectList, ReadsBackWhatItWrites) {
    ObjectList list;
    list.root_path = "/lwm2m";
    list.formats = {ContentFormat::senml_cbor, ContentFormat::tlv};
    list.objects = {{1, {1, 0}, {0, 1}}, {3, {1, 1}, {0}}, {5, {1, 0}, {}}, {3303, {1, 1}, {0, 7}}};
    EXPECT_EQ(write_object_list(list, kV11),
              "</lwm2m>;rt=\"oma.lwm2m\";ct=\"112 11542\",</lwm2m/1>;ver=1.0,</lwm2m/1/0>,</lwm2m/1/1>,</lwm2m/3/0>,"
              "</lwm2m/5>,</lwm2m/3303>;ver=1.1,</lwm2m/3303/0>,</lwm2m/3303/7>");
    EXPECT_EQ(parse_object_list(write_object_list(list, kV11), kV11).value(), list);
}

TEST(LinkFormat, ReadsBootstrapDiscover) {  // LF-10, LF-11, LF-12: Core 1.2 section 6.1.7.3
    const auto links = parse_links(
        "</>;lwm2m=1.1,</0/0>;ssid=101;uri=\"coaps://server_1.example.com\", </0/1/>, "
        "</0/2>;ssid=102;uri=\"coaps://server_2.example.com\"");
    ASSERT_EQ(links->size(), 4U);
    EXPECT_EQ(*links->at(0).value_of("lwm2m"), "1.1");
    EXPECT_EQ(*links->at(1).value_of("uri"), "coaps://server_1.example.com");
    EXPECT_EQ(links->at(2).target, "/0/1/");
    EXPECT_TRUE(links->at(2).attributes.empty());
    EXPECT_EQ(parse_links("</>;lwm2m=1.1,</0/0>;ssid=101;uri=\"coaps://server_1.example.com\", </0/1>, "
                          "</1/0/>;ssid=101, </3/0>,</5>,</4>")
                  ->size(),
              7U);
    EXPECT_EQ(
        parse_links("</>;lwm2m=1.1,</0/0>;ssid=101;uri=\"coaps://server_1.example.com\",</0/2>;ssid=102;uri=\"coap:/"
                    "/server_1.example.com\",</21/0>;ssid=101,</21/2>;ssid=102,</0/1>,</21/1/>")
            ->size(),
        7U);
}

TEST(LinkFormat, ReadsTheLegacyBootstrapDiscover) {  // LF-13: ETS 1.0 int-0
    const auto links = parse_links("lwm2m=\"1.0\",</0/0>;ssid=1,</0/1>, </1/0>;ssid=1,</3/0>");
    ASSERT_EQ(links->size(), 5U);
    EXPECT_FALSE(links->front().has_target);
    EXPECT_EQ(*links->front().value_of("lwm2m"), "1.0");
    EXPECT_EQ(write_links(*links), "lwm2m=1.0,</0/0>;ssid=1,</0/1>,</1/0>;ssid=1,</3/0>");
}

TEST(LinkFormat, ReadsDiscoverAnswers) {  // LF-14, LF-15, LF-16: Core 1.2 section 6.3.2
    const auto links = parse_links(
        "</3/0>;pmin=10;pmax=60, </3/0/1>, </3/0/2>, </3/0/3>, </3/0/4>, </3/0/6>;dim=2, </3/0/6/0>, </3/0/6/3>, "
        "</3/0/7>;dim=2;gt=50;lt=42.2, </3/0/7/0>, </3/0/7/1>;lt=45, </3/0/8>;dim=2, </3/0/8/1>, </3/0/8/2>, "
        "</3/0/11>, "
        "</3/0/16>");
    ASSERT_EQ(links->size(), 16U);
    const auto voltage = attributes_of(links->at(8));
    EXPECT_EQ(voltage->gt, 50.0);
    EXPECT_EQ(voltage->lt, 42.2);
    EXPECT_EQ(*links->at(8).value_of("dim"), "2");
    const auto inherited = parse_links("</3/0/7>;dim=2;pmin=10;pmax=60;gt=50;lt=42.2, </3/0/7/0>, </3/0/7/1>;lt=45");
    EXPECT_EQ(attributes_of(inherited->front())->pmax, 60U);
    EXPECT_EQ(parse_links("</3/0/7>;dim=2;pmax=300;gt=80;lt=65.5, </3/0/7/0>, </3/0/7/1>")->size(), 3U);
}

TEST(LinkFormat, KeepsSeparatorsInsideQuotes) {  // LF-17: RFC 6690 section 5
    const auto links = parse_links(
        "</sensors>;ct=40;title=\"Sensor Index\",</sensors/temp>;rt=\"temperature-c\";if=\"sensor\",</sensors/"
        "light>;rt=\"light-lux\";if=\"sensor\",<http://www.example.com/sensors/t123>;anchor=\"/sensors/"
        "temp\";rel=\"describedby\",</t>;anchor=\"/sensors/temp\";rel=\"alternate\"");
    ASSERT_EQ(links->size(), 5U);
    EXPECT_EQ(links->at(3).target, "http://www.example.com/sensors/t123");
    const auto quoted = parse_links("</a>;t=\"x,y;z=\\\"<>\\\\\";u");
    ASSERT_EQ(quoted->size(), 1U);
    EXPECT_EQ(*quoted->front().value_of("t"), "x,y;z=\"<>\\");
    EXPECT_TRUE(quoted->front().has("u"));
    EXPECT_EQ(quoted->front().value_of("u"), nullptr);
    EXPECT_EQ(parse_links(write_links(*quoted)).value(), *quoted);
}

TEST(LinkFormat, ToleratesSpacesAndUnquotedValues) {
    const auto links = parse_links("  </3/0> ; ver = 1.2 ;\turi=coaps://h:5684/a b ,\r\n</4>  ");
    ASSERT_EQ(links->size(), 2U);
    EXPECT_EQ(*links->front().value_of("ver"), "1.2");
    EXPECT_EQ(*links->front().value_of("uri"), "coaps://h:5684/a b");
    EXPECT_TRUE(parse_links("")->empty());
    EXPECT_TRUE(parse_links("  ")->empty());
}

TEST(LinkFormat, RejectsWhatIsNoList) {
    for (const char* bad :
         {"</2/0></2/1>" /* LF-E1 */, "</2/0>,", ",</2/0>", "</2/0", "</2/0>;", "</2/0>;=1", "</2/0>;a=\"x", "</2/0>x",
          "/2/0", "</2/0>,ver=1", "<a\nb>", "</2/0>;a=\"\x01\"", "</2>;a=<", "</\xff>" /* not UTF-8 */,
          "</2>;a=\"\xc3\"", "</2>;a=b\tc" /* could not be written in quotes */}) {
        EXPECT_EQ(parse_links(bad).error().code, Errc::invalid_argument) << bad;
    }
}

TEST(LinkFormat, BoundsLinksAttributesAndTargets) {
    std::string links = "<a>";
    for (std::size_t i = 0; i < kMaxLinks; ++i) links += ",<a>";
    EXPECT_EQ(parse_links(links).error().code, Errc::too_large);
    std::string attributes = "<a>";
    for (std::size_t i = 0; i <= kMaxLinkAttributes; ++i) attributes += ";x";
    EXPECT_EQ(parse_links(attributes).error().code, Errc::too_large);
    EXPECT_EQ(parse_links("<" + std::string(kMaxLinkTargetBytes + 1, 'a') + ">").error().code, Errc::too_large);
}

}  // namespace
}  // namespace lanyard::lwm2m
