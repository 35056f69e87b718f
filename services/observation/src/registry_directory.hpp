#pragma once

#include <memory>
#include <string>
#include <vector>

#include "observation/downlink.hpp"

namespace lanyard::observation {

// DeviceDirectory through the registry's DeviceService: the address that answered last is asked first; when it is
// unavailable each of the others is tried once.
class RegistryDirectory final : public DeviceDirectory {
  public:
    explicit RegistryDirectory(std::vector<std::string> addresses);
    ~RegistryDirectory() override;
    void get(const std::string& tenant, const std::string& endpoint,
             std::function<void(Result<DeviceInfo>)> done) override;
    void list(const std::string& tenant, const std::string& page_token, int page_size,
              std::function<void(Result<DevicePage>)> done) override;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace lanyard::observation
