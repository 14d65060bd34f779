using Microsoft.Extensions.Options;

namespace Dunlin.Agent.Configuration;

[OptionsValidator]
internal sealed partial class DeviceOptionsValidator : IValidateOptions<DeviceOptions>;

[OptionsValidator]
internal sealed partial class CameraOptionsValidator : IValidateOptions<CameraOptions>;

[OptionsValidator]
internal sealed partial class RaceOptionsValidator : IValidateOptions<RaceOptions>;

[OptionsValidator]
internal sealed partial class ResultOptionsValidator : IValidateOptions<ResultOptions>;

[OptionsValidator]
internal sealed partial class TelemetryOptionsValidator : IValidateOptions<TelemetryOptions>;

[OptionsValidator]
internal sealed partial class UpdateOptionsValidator : IValidateOptions<UpdateOptions>;

[OptionsValidator]
internal sealed partial class LoggingOptionsValidator : IValidateOptions<LoggingOptions>;

