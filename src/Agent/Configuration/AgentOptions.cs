using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Agent.Configuration;

/// <summary>All options, read once and validated.</summary>
internal sealed record AgentOptions
{
    public required DeviceOptions Device { get; init; }
    public required CameraOptions Camera { get; init; }
    public required RaceOptions Race { get; init; }
    public required ResultOptions Results { get; init; }
    public required TelemetryOptions Telemetry { get; init; }
    public required UpdateOptions Updates { get; init; }
    public required CommandOptions Commands { get; init; }
    public required LoggingOptions Logging { get; init; }
    public required MqttOptions Mqtt { get; init; }
    public required PowerOptions Power { get; init; }

    /// <exception cref="ConfigurationException">Something is not as it must be: each failure with key, value and rule.</exception>
    public static AgentOptions Load(string? file, IReadOnlyList<string> settings)
    {
        var reader = new OptionsReader(AgentConfiguration.Load(file, settings));
        var options = new AgentOptions
        {
            Device = reader.Read(DeviceOptions.Section, section => section.Get<DeviceOptions>(Strict), new DeviceOptionsValidator()),
            Camera = reader.Read(CameraOptions.Section, section => section.Get<CameraOptions>(Strict), new CameraOptionsValidator()),
            Race = reader.Read(RaceOptions.Section, section => section.Get<RaceOptions>(Strict), new RaceOptionsValidator()),
            Results = reader.Read(ResultOptions.Section, section => section.Get<ResultOptions>(Strict), new ResultOptionsValidator()),
            Telemetry = reader.Read(TelemetryOptions.Section, section => section.Get<TelemetryOptions>(Strict), new TelemetryOptionsValidator()),
            Updates = reader.Read(UpdateOptions.Section, section => section.Get<UpdateOptions>(Strict), new UpdateOptionsValidator()),
            Commands = reader.Read(CommandOptions.Section, section => section.Get<CommandOptions>(Strict), null),
            Logging = reader.Read(LoggingOptions.Section, section => section.Get<LoggingOptions>(Strict), new LoggingOptionsValidator()),
            Mqtt = reader.Read(MqttOptions.Section, section => WithHost(section.Get<MqttOptions>(Strict), section), new MqttOptionsValidator()),
            Power = reader.Read(PowerOptions.Section, section => section.Get<PowerOptions>(Strict), new PowerOptionsValidator()),
        };
        // The meters' own rates fit into any window.
        reader.Require(options.Telemetry.WindowSeconds * (options.Power.SamplesPerSecond ?? 0) <= PowerOptions.MostReadingsPerWindow,
            TelemetryOptions.Section, nameof(TelemetryOptions.WindowSeconds), $"must hold at most {PowerOptions.MostReadingsPerWindow} readings at Power:SamplesPerSecond");
        reader.ThrowIfAny();
        return options;
    }

    /// <summary>Registers each for itself.</summary>
    public void AddTo(IServiceCollection services) => services
        .AddSingleton(Device).AddSingleton(Camera).AddSingleton(Race).AddSingleton(Results).AddSingleton(Telemetry)
        .AddSingleton(Updates).AddSingleton(Commands).AddSingleton(Logging).AddSingleton(Mqtt).AddSingleton(Power);

    // The binder takes an empty text for none, and would leave the default.
    private static MqttOptions? WithHost(MqttOptions? options, IConfiguration section)
    {
        if (options is not null && section[nameof(MqttOptions.Host)] is "") options.Host = "";
        return options;
    }

    private static void Strict(BinderOptions options) => options.ErrorOnUnknownConfiguration = true;
}
