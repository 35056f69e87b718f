#include "list_page.hpp"

#include <gmock/gmock.h>

#include "rpc/status.hpp"

namespace lanyard::observation {
namespace {

using identity::TokenKind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kParent = "tenants/default/devices/urn:imei:1";
const SipKey kKey{1, 2, 3};

std::vector<v1::Observation> observations(std::initializer_list<const char*> ids) {
    std::vector<v1::Observation> out;
    for (const char* id : ids) out.emplace_back().set_name(std::string(kParent) + "/observations/" + id);
    return out;
}

std::vector<std::string> ids(const v1::ListObservationsResponse& response) {
    std::vector<std::string> out;
    for (const auto& one : response.observations()) out.emplace_back(id_of(one.name()));
    return out;
}

std::string refused_field(const Checked<Page>& page) {
    const auto* status = std::get_if<grpc::Status>(&page);
    return status == nullptr ? "" : rpc::details_of(*status)->fields.at(0).field;
}

TEST(ListPage, PagesThroughInOrderOfTheName) {
    std::string token;
    std::vector<std::vector<std::string>> pages;
    do {
        const auto page = std::get<Page>(check_page(kKey, TokenKind::observation_page, kParent, 2, token));
        v1::ListObservationsResponse response;
        const std::string last =
            take_page(observations({"t.b", "3303.0", "a", "1.0", "z"}), page, *response.mutable_observations());
        token = last.empty() ? "" : page_token(kKey, TokenKind::observation_page, kParent, last);
        pages.push_back(ids(response));
    } while (!token.empty());
    EXPECT_THAT(pages, ElementsAre(ElementsAre("1.0", "3303.0"), ElementsAre("a", "t.b"), ElementsAre("z")));
}

TEST(ListPage, EndsWithoutATokenWhenAllFits) {
    v1::ListObservationsResponse response;
    EXPECT_EQ(take_page(observations({"a", "b"}), Page{2, ""}, *response.mutable_observations()), "");
    EXPECT_THAT(ids(response), ElementsAre("a", "b"));
    response.Clear();
    EXPECT_EQ(take_page(observations({}), Page{2, ""}, *response.mutable_observations()), "");
    EXPECT_THAT(ids(response), IsEmpty());
}

TEST(ListPage, GoesOnBehindAnEntryThatWasDeletedMeanwhile) {
    v1::ListObservationsResponse response;
    EXPECT_EQ(take_page(observations({"a", "c", "d"}), Page{1, "b"}, *response.mutable_observations()), "c");
    EXPECT_THAT(ids(response), ElementsAre("c"));
}

TEST(ListPage, HasADefaultAndALargestSize) {
    EXPECT_EQ(std::get<Page>(check_page(kKey, TokenKind::template_page, kParent, 0, "")).size, 50U);
    EXPECT_EQ(std::get<Page>(check_page(kKey, TokenKind::template_page, kParent, 5000, "")).size, 1000U);
    EXPECT_EQ(refused_field(check_page(kKey, TokenKind::template_page, kParent, -1, "")), "page_size");
}

TEST(ListPage, RefusesTokensOfOtherListsParentsAndKeys) {
    const auto token = page_token(kKey, TokenKind::observation_page, kParent, "a");
    EXPECT_EQ(refused_field(check_page(kKey, TokenKind::observation_page, kParent, 0, token)), "");
    EXPECT_EQ(refused_field(check_page(kKey, TokenKind::template_page, kParent, 0, token)), "page_token");
    EXPECT_EQ(refused_field(check_page(kKey, TokenKind::observation_page, "tenants/x", 0, token)), "page_token");
    EXPECT_EQ(refused_field(check_page(SipKey{9}, TokenKind::observation_page, kParent, 0, token)), "page_token");
    EXPECT_EQ(refused_field(check_page(kKey, TokenKind::observation_page, kParent, 0, "x!")), "page_token");
}

}  // namespace
}  // namespace lanyard::observation
