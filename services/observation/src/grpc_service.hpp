#pragma once

#include <memory>
#include <string>

#include "control.hpp"
#include "lanyard/observation/v1/observation.grpc.pb.h"
#include "observation/downlink.hpp"
#include "observation/store.hpp"
#include "value_streams.hpp"

namespace lanyard::observation {

// ObservationService. Checks requests, asks the registry which device is meant, changes the store and tells Control.
class GrpcService final : public v1::ObservationService::CallbackService {
  public:
    struct Deps {
        ObservationStore& store;
        DeviceDirectory& directory;
        Control& control;
        SpecTable& specs;
        ValueStreams& streams;
        const StreamConfig& stream_config;
        SipKey key{};
    };
    explicit GrpcService(Deps deps) : deps_(deps) {}

    using Context = grpc::CallbackServerContext;
    using Unary = grpc::ServerUnaryReactor;
    Unary* CreateObservation(Context* context, const v1::CreateObservationRequest* request,
                             v1::Observation* response) override;
    Unary* ListObservations(Context* context, const v1::ListObservationsRequest* request,
                            v1::ListObservationsResponse* response) override;
    Unary* GetObservation(Context* context, const v1::GetObservationRequest* request,
                          v1::Observation* response) override;
    Unary* DeleteObservation(Context* context, const v1::DeleteObservationRequest* request,
                             google::protobuf::Empty* response) override;
    Unary* CreateObservationTemplate(Context* context, const v1::CreateObservationTemplateRequest* request,
                                     v1::ObservationTemplate* response) override;
    Unary* ListObservationTemplates(Context* context, const v1::ListObservationTemplatesRequest* request,
                                    v1::ListObservationTemplatesResponse* response) override;
    Unary* GetObservationTemplate(Context* context, const v1::GetObservationTemplateRequest* request,
                                  v1::ObservationTemplate* response) override;
    Unary* DeleteObservationTemplate(Context* context, const v1::DeleteObservationTemplateRequest* request,
                                     google::protobuf::Empty* response) override;
    Unary* GetLatestValues(Context* context, const v1::GetLatestValuesRequest* request,
                           v1::GetLatestValuesResponse* response) override;
    grpc::ServerWriteReactor<v1::StreamValuesResponse>* StreamValues(Context* context,
                                                                     const v1::StreamValuesRequest* request) override;

  private:
    // All observations of a device with their states; `done` is called once.
    using Observations = std::vector<v1::Observation>;
    void observations(const std::string& tenant, const std::string& endpoint,
                      std::function<void(Result<Observations>)> done);
    void store_own(const DeviceInfo& device, OwnObservation own, std::function<void(Result<OwnObservation>)> done);

    Deps deps_;
};

}  // namespace lanyard::observation
