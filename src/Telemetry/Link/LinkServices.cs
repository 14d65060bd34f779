using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.Telemetry.Link;

public static class LinkServices
{
    /// <summary>
    /// Registers <see cref="MqttLink"/> as a singleton and hosted service. The caller registers <see cref="LinkIdentity"/>,
    /// <see cref="Liveness.LoopTicks"/> and <see cref="TimeProvider"/>.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="section">The configuration's section <c>Mqtt</c>.</param>
    public static IServiceCollection AddMqttLink(this IServiceCollection services, IConfiguration section)
    {
        services.AddMqttOptions(section);
        services.AddSingleton<MqttLink>();
        services.AddHostedService(provider => provider.GetRequiredService<MqttLink>());
        return services;
    }

    /// <summary>Only <see cref="MqttOptions"/>, validated at start.</summary>
    public static IServiceCollection AddMqttOptions(this IServiceCollection services, IConfiguration section)
    {
        services.AddSingleton<IValidateOptions<MqttOptions>, MqttOptionsValidator>();
        services.AddClosedOptions<MqttOptions>().Bind(section, binder => binder.ErrorOnUnknownConfiguration = true)
            // The binder takes an empty text for none, and would leave the default.
            .PostConfigure(options => options.Host = section[nameof(MqttOptions.Host)] is "" ? "" : options.Host).ValidateOnStart();
        return services;
    }
}
