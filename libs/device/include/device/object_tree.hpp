#pragma once

#include <functional>
#include <map>
#include <span>

#include "device/resource_tree.hpp"
#include "lwm2m/object_links.hpp"

namespace lanyard::device {

// A tree of resources that is put together at run time: what a Client serves. Not thread-safe.
class ObjectTree final : public ResourceTree {
  public:
    enum class Access { read, read_write, write };
    // The arguments of an Execute; the error decides the response code.
    using Action = std::function<Result<void>(ByteView arguments)>;

    // A resource, or a resource instance when the path has four ids. Replaces what was there.
    void add(const lwm2m::Path& path, lwm2m::Value value, Access access = Access::read);
    void add_action(const lwm2m::Path& path, Action action);
    // Changes a value that is there; a bug of the caller otherwise.
    void set(const lwm2m::Path& path, lwm2m::Value value);
    // Null when there is none.
    [[nodiscard]] const lwm2m::Value* find(const lwm2m::Path& path) const;
    void remove(const lwm2m::Path& path);

    // Called after a server has written, with the path of each value.
    std::function<void(const lwm2m::Path&)> on_written;

    // What a registration announces.
    [[nodiscard]] lwm2m::ObjectList objects() const;

    [[nodiscard]] Result<void> read(const lwm2m::Path& path, lwm2m::Records& out) const override;
    [[nodiscard]] Result<void> write(const lwm2m::Path& base, std::span<const lwm2m::Record> records,
                                     WriteMode mode) override;
    [[nodiscard]] Result<void> execute(const lwm2m::Path& path, ByteView arguments) override;
    [[nodiscard]] std::vector<lwm2m::Path> list(const lwm2m::Path& path) const override;
    [[nodiscard]] lwm2m::Attributes attributes(const lwm2m::Path& path) const override;
    [[nodiscard]] Result<void> set_attributes(const lwm2m::Path& path, const lwm2m::Attributes& change) override;

  private:
    struct Leaf {
        lwm2m::Value value;
        Access access = Access::read;
        Action action;
    };

    std::map<lwm2m::Path, Leaf> leaves_;
    std::map<lwm2m::Path, lwm2m::Attributes> attributes_;
};

}  // namespace lanyard::device
