#include "lwm2m/model.hpp"

#include <set>

#include <gtest/gtest.h>

namespace lanyard::lwm2m {
namespace {

TEST(Model, KnowsTheTemperatureSensor) {
    const auto object = find_object(3303);
    ASSERT_TRUE(object);
    EXPECT_EQ(object->name, "Temperature");
    EXPECT_TRUE(object->multiple);
    const auto value = find_resource(*object, 5700);
    ASSERT_TRUE(value);
    EXPECT_EQ(value->name, "Sensor Value");
    EXPECT_EQ(value->type, ValueType::floating);
    EXPECT_TRUE(value->readable);
    EXPECT_FALSE(value->writable);
    EXPECT_TRUE(value->mandatory);
    EXPECT_EQ(value->units, "");
    EXPECT_TRUE(find_resource(*object, 5605)->executable);
}

TEST(Model, KnowsTheDeviceObject) {
    const auto battery = registry_models().resource(3, 9);
    ASSERT_TRUE(battery);
    EXPECT_EQ(battery->name, "Battery Level");
    EXPECT_EQ(battery->type, ValueType::integer);
    EXPECT_EQ(battery->range, "0..100");
    EXPECT_EQ(battery->units, "/100");
    const auto reboot = registry_models().resource(3, 4);
    EXPECT_TRUE(reboot->executable);
    EXPECT_EQ(reboot->type, ValueType::none);
    EXPECT_TRUE(registry_models().resource(3, 11)->multiple);
    EXPECT_EQ(registry_models().resource(6, 0)->units, "lat");
}

TEST(Model, GivesTheNewestVersionUnlessAskedForAnother) {
    EXPECT_EQ(find_object(3)->version, (Version{1, 2}));
    EXPECT_EQ(find_object(3, Version{1, 0})->version, (Version{1, 0}));
    EXPECT_EQ(find_object(5)->version, (Version{1, 2}));
    EXPECT_FALSE(find_resource(*find_object(1, Version{1, 0}), 9));
    EXPECT_TRUE(find_resource(*find_object(1, Version{1, 1}), 9));
}

TEST(Model, TakesTheClosestMinorVersionButNoOtherMajor) {
    EXPECT_EQ(find_object(3, Version{1, 9})->version, (Version{1, 2}));
    EXPECT_EQ(find_object(21, Version{2, 3})->version, (Version{2, 0}));
    EXPECT_FALSE(find_object(3, Version{2, 0}));
    EXPECT_FALSE(find_object(65000));
}

TEST(Model, SpeaksAsADeviceAnnounced) {
    const std::vector<std::pair<ObjectId, Version>> announced{{1, {1, 0}}};
    const RegistryModels models(announced);
    EXPECT_FALSE(models.resource(1, 9));
    EXPECT_TRUE(models.resource(1, 8));
    EXPECT_TRUE(models.resource(3, 9));
    EXPECT_FALSE(models.resource(65000, 0));
}

TEST(Model, TableIsSortedAndComplete) {
    const auto objects = registry_objects();
    EXPECT_GT(objects.size(), 300U);
    for (std::size_t i = 0; i < objects.size(); ++i) {
        if (i > 0) {
            EXPECT_LT(std::pair(objects[i - 1].id, objects[i - 1].version),
                      std::pair(objects[i].id, objects[i].version));
        }
        EXPECT_FALSE(objects[i].name.empty());
        const auto resources = resources_of(objects[i]);
        std::set<ResourceId> ids;
        for (const auto& resource : resources) {
            EXPECT_TRUE(ids.empty() || *ids.rbegin() < resource.id) << objects[i].id << "/" << resource.id;
            ids.insert(resource.id);
            EXPECT_EQ(find_resource(objects[i], resource.id)->name, resource.name);
        }
    }
}

TEST(Model, HasTheCoreObjectsInEveryVersion) {
    std::set<std::string> core;
    for (const auto& object : registry_objects()) {
        if (object.id <= 7 || object.id == 21)
            core.insert(std::to_string(object.id) + " " + object.version.to_string());
    }
    const std::set<std::string> expected{"0 1.0", "0 1.1", "0 1.2", "1 1.0", "1 1.1",  "1 1.2",  "2 1.0", "2 1.1",
                                         "3 1.0", "3 1.1", "3 1.2", "4 1.0", "4 1.1",  "4 1.2",  "4 1.3", "5 1.0",
                                         "5 1.1", "5 1.2", "6 1.0", "7 1.0", "21 1.0", "21 1.1", "21 2.0"};
    EXPECT_EQ(core, expected);
}

}  // namespace
}  // namespace lanyard::lwm2m
