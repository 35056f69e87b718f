#pragma once

#include <optional>

#include "base/error.hpp"
#include "lwm2m/codec.hpp"

namespace lanyard::lwm2m {

// Collects what a decoder reads: checks the path against the context, gives every value the type of its model and
// bounds the number of records. Every format's decoder ends here.
class RecordSink {
  public:
    explicit RecordSink(const DecodeContext& context) : context_(context) {}

    Result<void> add(const Path& path, Value value, std::optional<UnixMillis> time = std::nullopt);
    [[nodiscard]] Records take() { return std::move(records_); }

    // The type that the model gives to a resource or resource instance; nullopt: the model does not know it.
    [[nodiscard]] std::optional<ValueType> type_of(const Path& path) const;
    [[nodiscard]] const DecodeContext& context() const { return context_; }

  private:
    const DecodeContext& context_;
    Records records_;
};

// The type of a path in a model: nullopt when unknown or above the resource level.
std::optional<ValueType> model_type(const ModelView& models, const Path& path);

}  // namespace lanyard::lwm2m
