#include "runtime/config.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "runtime/common_config.hpp"
#include "runtime/socket_address.hpp"

namespace lanyard::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

enum class Manage { create, verify, off };

struct Tenant {
    std::string id;
    int quota = 10;
    Secret key;
};

struct Config {
    std::uint16_t max_size = 1152;
    double loss = 0.5;
    bool strict = false;
    std::string brokers = "127.0.0.1:9092";
    Duration timeout = 2s;
    Manage manage = Manage::verify;
    Address listen = Address::v4(0x7f000001, 5683);
    Secret password;
    std::vector<std::string> topics{"a"};
    std::vector<Address> peers;
    std::vector<Tenant> tenants;
    std::map<std::string, std::string> properties;
};

void bind_tenant(Binder& b, Tenant& tenant) {
    b.required_string("id", &tenant.id, "Name of the tenant.");
    b.integer("limits.quota", &tenant.quota, {1, 100}, "Most devices.");
    b.secret("key", &tenant.key, "Its key.");
}

void bind(Binder& b, Config& c) {
    b.integer("coap.max_size", &c.max_size, {64, 100'000}, "Longest datagram, in bytes.");
    b.string("kafka.brokers", &c.brokers, "Where Kafka is.");
    b.number("coap.loss", &c.loss, {0, 1}, "Share of datagrams lost.");
    b.boolean("coap.strict", &c.strict, "Refuse what is odd.");
    b.duration("kafka.timeout", &c.timeout, {100ms, 1min}, "How long to wait.");
    b.enumeration("kafka.topics.manage", &c.manage,
                  {{"create", Manage::create}, {"verify", Manage::verify}, {"off", Manage::off}}, "Who makes topics.");
    b.address("coap.listen", &c.listen, "Where devices send.");
    b.secret("redis.password", &c.password, "Password.");
    b.string_list("kafka.topics.names", &c.topics, "Names.");
    b.address_list("peers", &c.peers, "Others.");
    b.list("tenants", &c.tenants, bind_tenant, "One entry per tenant.");
    b.properties("kafka.properties", &c.properties, "Passed on.");
}

class ConfigTest : public testing::Test {
  protected:
    ConfigTest() {
        Binder binder = schema.binder();
        bind(binder, config);
    }
    ~ConfigTest() override { std::filesystem::remove(file); }

    void write(const std::string& text) const { std::ofstream(file) << text; }
    // The error of loading this file; empty if there is none.
    std::string load_file(const std::string& text) {
        write(text);
        return load({.file = file, .environment = {}, .sets = {}});
    }
    std::string load_set(const std::string& text) { return load({.file = {}, .environment = {}, .sets = {text}}); }
    std::string load(const ConfigSources& sources) {
        const auto loaded = schema.load(sources);
        return loaded ? "" : loaded.error().message;
    }

    const std::string file = testing::TempDir() + "lanyard_config_test_" + std::to_string(::getpid()) + ".yaml";
    Config config;
    Schema schema;
};

TEST_F(ConfigTest, KeepsDefaultsWithoutSources) {
    EXPECT_EQ(load({}), "");
    EXPECT_EQ(config.max_size, 1152);
    EXPECT_EQ(config.timeout, 2s);
}

TEST_F(ConfigTest, ReadsNestedAndDottedKeysOfEveryType) {
    ASSERT_EQ(load_file("coap:\n"
                        "  max_size: 70\n"
                        "  loss: 0.25\n"
                        "  strict: true\n"
                        "  listen: \"[::1]:0\"\n"
                        "kafka.timeout: 250ms\n"
                        "kafka:\n"
                        "  brokers: k1:9092\n"
                        "  topics: {manage: off, names: [x, y]}\n"
                        "redis:\n"
                        "  password: hunter2\n"
                        "peers: [\"10.0.0.1:1\"]\n"
                        "tenants:\n"
                        "  - {id: acme, limits: {quota: 7}}\n"
                        "  - id: beta\n"
                        "    key: k\n"),
              "");
    EXPECT_EQ(config.max_size, 70);
    EXPECT_EQ(config.loss, 0.25);
    EXPECT_TRUE(config.strict);
    EXPECT_EQ(to_string(config.listen), "[::1]:0");
    EXPECT_EQ(config.timeout, 250ms);
    EXPECT_EQ(config.brokers, "k1:9092");
    EXPECT_EQ(config.manage, Manage::off);
    EXPECT_THAT(config.topics, ElementsAre("x", "y"));
    EXPECT_EQ(config.password.reveal(), "hunter2");
    EXPECT_THAT(config.peers, ElementsAre(Address::v4(0x0a000001, 1)));
    ASSERT_EQ(config.tenants.size(), 2U);
    EXPECT_EQ(config.tenants[0].quota, 7);
    EXPECT_EQ(config.tenants[1].id, "beta");
    EXPECT_EQ(config.tenants[1].quota, 10);
    EXPECT_EQ(config.tenants[1].key.reveal(), "k");
}

TEST_F(ConfigTest, LetsTheEnvironmentBeatTheFileAndSetBeatBoth) {
    write("coap: {max_size: 100}\nkafka: {brokers: file:1, timeout: 1s}\n");
    ASSERT_EQ(load({.file = file,
                    .environment = {"LANYARD_KAFKA_BROKERS=env:1", "LANYARD_KAFKA_TIMEOUT=3s", "PATH=/bin",
                                    "LANYARD_KAFKA_TOPICS_NAMES=p,q", "LANYARD_TENANTS=[{id: e}]"},
                    .sets = {"kafka.timeout=4s"}}),
              "");
    EXPECT_EQ(config.max_size, 100);
    EXPECT_EQ(config.brokers, "env:1");
    EXPECT_EQ(config.timeout, 4s);
    EXPECT_THAT(config.topics, ElementsAre("p", "q"));
    ASSERT_EQ(config.tenants.size(), 1U);
    EXPECT_EQ(config.tenants[0].id, "e");
}

TEST_F(ConfigTest, NamesFileLineKeyValueAndWhatIsAllowed) {
    EXPECT_EQ(load_file("coap:\n  max_size: 70000\n"),
              file + ":2: coap.max_size: \"70000\" is not allowed, expected an integer from 64 to 65535");
    EXPECT_EQ(load_file("coap: {loss: 1.5}\n"),
              file + ":1: coap.loss: \"1.5\" is not allowed, expected a number from 0 to 1");
    EXPECT_EQ(load_file("kafka:\n\n  timeout: 5\n"),
              file + ":3: kafka.timeout: \"5\" is not allowed, expected a duration from 100ms to 1m");
    EXPECT_EQ(load_file("kafka: {topics: {manage: maybe}}\n"),
              file + ":1: kafka.topics.manage: \"maybe\" is not allowed, expected one of create, verify, off");
    EXPECT_EQ(load_set("coap.strict=yes"), "--set: coap.strict: \"yes\" is not allowed, expected true or false");
    EXPECT_THAT(load({.file = {}, .environment = {"LANYARD_COAP_LISTEN=localhost"}, .sets = {}}),
                HasSubstr("environment LANYARD_COAP_LISTEN: coap.listen: \"localhost\" is not allowed"));
}

TEST_F(ConfigTest, RefusesWrongShapes) {
    EXPECT_THAT(load_file("coap: 5\n"), HasSubstr("coap is a section: a map of keys is expected"));
    EXPECT_THAT(load_file("coap: {max_size: [1]}\n"), HasSubstr("a list is not allowed"));
    EXPECT_THAT(load_file("coap: {max_size: {a: 1}}\n"), HasSubstr("a map is not allowed"));
    EXPECT_THAT(load_file("coap:\n  max_size:\n"), HasSubstr(":2: coap.max_size: an empty value is not allowed"));
    EXPECT_THAT(load_file("kafka: {topics: {names: x}}\n"), HasSubstr("expected a list of texts"));
    EXPECT_THAT(load_file("- a\n"), HasSubstr(":1: a map of keys is expected"));
    EXPECT_THAT(load_file("a: [\n"), HasSubstr("not valid YAML"));
    EXPECT_THAT(load_file("coap: {max_size: 70}\ncoap.max_size: 71\n"), HasSubstr(":2: coap.max_size is given twice"));
    EXPECT_THAT(load_file("? [a]\n: 1\n"), HasSubstr("a key must be plain text"));
}

TEST_F(ConfigTest, TakesAnEmptyFileAndEmptySections) {
    EXPECT_EQ(load_file(""), "");
    EXPECT_EQ(load_file("# nothing\ncoap:\n"), "");
}

TEST_F(ConfigTest, RefusesUnknownKeysAndSaysWhatWasMeant) {
    EXPECT_EQ(load_file("coap:\n  max_sise: 70\n"),
              file + ":2: unknown key coap.max_sise, did you mean coap.max_size?");
    EXPECT_EQ(load_file("kafak: {brokers: x}\n"), file + ":1: unknown key kafak, did you mean kafka?");
    EXPECT_EQ(load_set("brokers=x"), "--set: unknown key brokers, did you mean kafka.brokers?");
    EXPECT_EQ(load_set("zzzzzzzzzz=x"), "--set: unknown key zzzzzzzzzz");
    EXPECT_EQ(load_set("coap.strict"), "--set \"coap.strict\": key=value is expected");
}

TEST_F(ConfigTest, NamesTheEntryOfAList) {
    EXPECT_EQ(load_file("tenants:\n  - id: a\n  - id: b\n    limits:\n      quota: 0\n"),
              file + ":5: tenants[1].limits.quota: \"0\" is not allowed, expected an integer from 1 to 100");
    EXPECT_EQ(load_file("tenants:\n  - idd: a\n"),
              file + ":2: unknown key tenants[0].idd, did you mean tenants[0].id?");
    EXPECT_EQ(load_file("tenants: [{}]\n"), "tenants[0].id: is not set, expected text that is not empty");
    EXPECT_THAT(load_file("tenants: [5]\n"), HasSubstr("tenants[0]: a map of keys is expected"));
}

TEST_F(ConfigTest, ReportsAMissingFile) {
    const auto loaded = schema.load({.file = "/nowhere/x.yaml", .environment = {}, .sets = {}});
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Errc::not_found);
    EXPECT_THAT(loaded.error().message, HasSubstr("/nowhere/x.yaml"));
}

TEST_F(ConfigTest, WarnsOfVariablesThatNameNoKey) {
    ASSERT_EQ(load({.file = {},
                    .environment = {"LANYARD_COAP_MAXSIZE=1", "LANYARD_REGISTRY_SERVICE_HOST=10.0.0.1",
                                    "LANYARD_REGISTRY_PORT=tcp://10.0.0.1:80"},
                    .sets = {}}),
              "");
    EXPECT_THAT(schema.warnings(), ElementsAre("environment variable LANYARD_COAP_MAXSIZE names no key"));
}

TEST_F(ConfigTest, ReadsASecretFromAFileWithoutItsNewline) {
    write("s3cret\n");
    ASSERT_EQ(load_set("redis.password_file=" + file), "");
    EXPECT_EQ(config.password.reveal(), "s3cret");
    EXPECT_THAT(load_set("redis.password_file=/nowhere"), HasSubstr("file \"/nowhere\" cannot be read"));
}

TEST_F(ConfigTest, RefusesASecretGivenTwice) {
    EXPECT_THAT(load({.file = {},
                      .environment = {"LANYARD_REDIS_PASSWORD=a", "LANYARD_REDIS_PASSWORD_FILE=/dev/null"},
                      .sets = {}}),
                HasSubstr("redis.password and redis.password_file are both given"));
}

TEST_F(ConfigTest, NeverPrintsASecret) {
    EXPECT_THAT(load_file("redis: {password: [hunter2]}\n"), Not(HasSubstr("hunter2")));
    ASSERT_EQ(load_file("redis: {password: hunter2}\ntenants: [{id: a, key: hunter2}]\n"), "");
    EXPECT_THAT(schema.effective(), HasSubstr("password: \"(hidden)\""));
    EXPECT_THAT(schema.effective(), HasSubstr("    key: \"(hidden)\""));
    EXPECT_THAT(schema.effective(), Not(HasSubstr("hunter2")));
    EXPECT_THAT(schema.to_yaml_with_docs(), Not(HasSubstr("hunter2")));
}

TEST_F(ConfigTest, ReadsPropertiesOfALibraryFromEverySource) {
    ASSERT_EQ(load_file("kafka: {properties: [\"a.b=1\", c=x=y]}\n"), "");
    EXPECT_THAT(config.properties, ElementsAre(Pair("a.b", "1"), Pair("c", "x=y")));
    ASSERT_EQ(load({.file = {}, .environment = {"LANYARD_KAFKA_PROPERTIES=a=2,d="}, .sets = {}}), "");
    EXPECT_THAT(config.properties, ElementsAre(Pair("a", "2"), Pair("d", "")));
    ASSERT_EQ(load_set("kafka.properties=['list=1,2']"), "");
    EXPECT_THAT(config.properties, ElementsAre(Pair("list", "1,2")));
    EXPECT_EQ(load_set("kafka.properties=[]"), "");
    EXPECT_TRUE(config.properties.empty());
}

TEST_F(ConfigTest, PrintsOfPropertiesTheNamesAlone) {
    ASSERT_EQ(load_set(R"(kafka.properties=["sasl.password=hunter2"])"), "");
    EXPECT_THAT(schema.effective(), HasSubstr("properties: [\"sasl.password=(hidden)\"]"));
    EXPECT_THAT(schema.effective(), Not(HasSubstr("hunter2")));
    EXPECT_EQ(load_set("kafka.properties=a=1,hunter2"), "--set: kafka.properties: entry 2 (hidden) is not name=value");
    EXPECT_EQ(load_set("kafka.properties=a=hunter2,a=hunter3"), "--set: kafka.properties: \"a\" is given twice");
    EXPECT_THAT(load_set("kafka.properties=[[hunter2]]"), Not(HasSubstr("hunter2")));
    EXPECT_THAT(load_set("kafka.properties=[{a: hunter2}]"), HasSubstr("is not name=value"));
}

TEST_F(ConfigTest, PrintsDefaultsWithDocsThatLoadAgain) {
    const std::string text = schema.to_yaml_with_docs();
    EXPECT_THAT(text, HasSubstr("coap:\n"
                                "  # Longest datagram, in bytes.\n"
                                "  # An integer from 64 to 65535. LANYARD_COAP_MAX_SIZE\n"
                                "  max_size: 1152\n"));
    EXPECT_THAT(text, HasSubstr("  # Or password_file: the path of a file that holds it.\n  password: \"\"\n"));
    EXPECT_THAT(text, HasSubstr("# An entry has:\n# # Name of the tenant.\n# # Text that is not empty.\n# id: \"\"\n"));
    EXPECT_THAT(text, HasSubstr("tenants: []\n"));
    // Each section once, whatever the order of binding.
    EXPECT_EQ(text.find("\nkafka:"), text.rfind("\nkafka:"));
    config = Config{};
    EXPECT_EQ(load_file(text), "");
    EXPECT_EQ(schema.to_yaml_with_docs(), text);
}

TEST_F(ConfigTest, PrintsEffectiveValuesThatLoadAgain) {
    ASSERT_EQ(load_file("coap: {max_size: 99}\nkafka: {brokers: \"a\\\"b\\n\"}\n"
                        "tenants: [{id: x, limits: {quota: 3}}, {id: y}]\n"),
              "");
    const std::string text = schema.effective();
    EXPECT_THAT(text, HasSubstr("  max_size: 99\n"));
    EXPECT_THAT(text,
                HasSubstr("tenants:\n  - id: \"x\"\n    limits:\n      quota: 3\n    key: \"\"\n  - id: \"y\"\n"));
    config = Config{};
    ASSERT_EQ(load_file(text), "");
    EXPECT_EQ(config.brokers, "a\"b\n");
    EXPECT_EQ(schema.effective(), text);
}

TEST(ConfigSection, PutsThePrefixBeforeTheKeys) {
    CommonConfig config;
    Schema schema;
    Binder top = schema.binder();
    Binder section = top.section("ingress");
    bind(section, config);
    ASSERT_TRUE(schema.load({.file = {}, .environment = {"LANYARD_INGRESS_LOG_LEVEL=debug"}, .sets = {}}));
    EXPECT_EQ(config.log.level, telemetry::Level::debug);
}

TEST(ConfigDuration, ReadsAndWritesTheSameText) {
    for (const char* text : {"0s", "1ns", "250us", "250ms", "5s", "90s", "1m", "2h", "1d", "36h"}) {
        const auto parsed = parse_duration(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(format_duration(*parsed), text);
    }
    EXPECT_EQ(*parse_duration("0"), Duration::zero());
    for (const char* text : {"", "5", "-5s", "1.5s", "s", "5 s", "99999999999999999999s", "9999999999999d"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(ConfigDeathTest, RefusesTwoKeysWithOneVariable) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    int value = 0;
    Schema schema;
    Binder binder = schema.binder();
    binder.integer("a.b_c", &value, {}, "x");
    EXPECT_DEATH(binder.integer("a_b.c", &value, {}, "x"), "environment_name");
}

}  // namespace
}  // namespace lanyard::runtime
