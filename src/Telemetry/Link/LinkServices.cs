using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Telemetry.Link;

public static class LinkServices
{
    /// <summary>
    /// Registers <see cref="MqttLink"/> as a singleton and hosted service. The caller registers <see cref="LinkIdentity"/>,
    /// <see cref="MqttOptions"/>, <see cref="Liveness.LoopTicks"/> and <see cref="TimeProvider"/>.
    /// </summary>
    public static IServiceCollection AddMqttLink(this IServiceCollection services)
    {
        services.AddSingleton<MqttLink>();
        services.AddHostedService(provider => provider.GetRequiredService<MqttLink>());
        return services;
    }
}
