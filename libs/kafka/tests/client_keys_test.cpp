#include "kafka/client_keys.hpp"

#include <gtest/gtest.h>

#include "kafka/producer.hpp"
#include "runtime/config.hpp"

namespace lanyard::kafka {
namespace {

std::string refusal_of(const char* name, const char* value) {
    ClientConfig config;
    config.properties[name] = value;
    const auto result = validate(config);
    return result ? "" : result.error().message;
}

TEST(KafkaClientKeys, AreReadFromAConfiguration) {
    ClientConfig config;
    runtime::Schema schema;
    runtime::Binder binder = schema.binder();
    bind(binder, config);
    const auto loaded = schema.load({{},
                                     {"LANYARD_KAFKA_BOOTSTRAP=k1:9092"},
                                     {R"(kafka.properties=["security.protocol=SASL_SSL", "sasl.password=a=b"])"}});
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(config.bootstrap, "k1:9092");
    EXPECT_EQ(config.properties.at("security.protocol"), "SASL_SSL");
    EXPECT_EQ(config.properties.at("sasl.password"), "a=b");
    EXPECT_TRUE(validate(config));
}

TEST(KafkaClientKeys, OfTopicsAndCompressionTakeTheirNames) {
    ManageTopics manage = ManageTopics::create;
    Compression compression = Compression::none;
    runtime::Schema schema;
    runtime::Binder binder = schema.binder();
    bind_manage(binder, manage);
    bind_compression(binder, compression);
    ASSERT_TRUE(schema.load({{}, {}, {"topics.manage=off", "kafka.compression=zstd"}}));
    EXPECT_EQ(manage, ManageTopics::off);
    EXPECT_EQ(compression, Compression::zstd);
    EXPECT_FALSE(schema.load({{}, {}, {"topics.manage=yes"}}));
}

TEST(KafkaClientKeys, RefuseAPropertyThatLibrdkafkaDoesNotKnow) {
    EXPECT_EQ(refusal_of("bogus", "hunter2"), "kafka.properties: \"bogus\" is no property of librdkafka");
}

TEST(KafkaClientKeys, RefuseABadValueWithoutTellingIt) {
    EXPECT_EQ(refusal_of("security.protocol", "hunter2"),
              "kafka.properties: \"security.protocol\" does not take its value (hidden)");
    EXPECT_EQ(refusal_of("socket.timeout.ms", "soon"),
              "kafka.properties: \"socket.timeout.ms\" does not take its value (hidden)");
}

TEST(KafkaClientKeys, AreNotToldByAClientThatRefusesThem) {
    ProducerConfig config;
    config.client.properties["security.protocol"] = "hunter2";
    const auto producer = Producer::create(config);
    ASSERT_FALSE(producer);
    EXPECT_EQ(producer.error().message.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace lanyard::kafka
