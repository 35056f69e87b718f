#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/hex.hpp"
#include "lwm2m/codec.hpp"

namespace lanyard::lwm2m {

// Types for objects that the registry does not have.
class TestModels final : public ModelView {
  public:
    explicit TestModels(std::map<std::pair<ObjectId, ResourceId>, ValueType> types) : types_(std::move(types)) {}
    [[nodiscard]] std::optional<ResourceModel> resource(ObjectId object, ResourceId id) const override {
        const auto at = types_.find({object, id});
        if (at == types_.end()) return std::nullopt;
        ResourceModel model;
        model.id = id;
        model.type = at->second;
        return model;
    }

  private:
    std::map<std::pair<ObjectId, ResourceId>, ValueType> types_;
};

using Rows = std::vector<std::string>;

// "/3/0/9 integer 100", and " @1000" behind it for a time.
inline std::string row(const Record& record) {
    std::string text = record.path.to_string();
    text.append(" ").append(to_string(type_of(record.value))).append(" ").append(to_display(record.value));
    if (record.time) text.append(" @").append(std::to_string(*record.time));
    return text;
}

inline Rows rows(const Result<Records>& records) {
    if (!records) return {"error " + std::string(to_string(records.error().code)) + ": " + records.error().message};
    Rows result;
    for (const auto& record : *records) result.push_back(row(record));
    return result;
}

inline Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

inline std::string text(ByteView bytes) {
    return std::string(as_text(bytes));
}

// The Device instance that the OMA examples show in every format.
inline const Rows kDeviceRows{
    "/3/0/0 string Open Mobile Alliance",
    "/3/0/1 string Lightweight M2M Client",
    "/3/0/2 string 345000123",
    "/3/0/3 string 1.0",
    "/3/0/6/0 integer 1",
    "/3/0/6/1 integer 5",
    "/3/0/7/0 integer 3800",
    "/3/0/7/1 integer 5000",
    "/3/0/8/0 integer 125",
    "/3/0/8/1 integer 900",
    "/3/0/9 integer 100",
    "/3/0/10 integer 15",
    "/3/0/11/0 integer 0",
    "/3/0/13 time 1367491215",
    "/3/0/14 string +02:00",
    "/3/0/16 string U",
};

}  // namespace lanyard::lwm2m
