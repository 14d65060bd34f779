using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Telemetry.Energy;

/// <summary>Registers what this folder, Power and Board offer.</summary>
public static class EnergyServices
{
    /// <summary>
    /// <see cref="EnergySampler"/> (also as a hosted service), <see cref="BoardSensors"/> and <see cref="ThermalWatch"/>. The caller
    /// registers <see cref="PowerOptions"/>.
    /// </summary>
    /// <param name="services">The agent's services; a <see cref="TimeProvider"/> may be among them.</param>
    /// <param name="root">Where <c>/sys</c> and <c>/proc</c> are.</param>
    public static IServiceCollection AddPower(this IServiceCollection services, string root = "/")
    {
        services.AddSingleton(_ => new BoardSensors(root));
        services.AddSingleton<ThermalWatch>();
        services.AddSingleton(provider =>
        {
            var time = provider.GetService<TimeProvider>() ?? TimeProvider.System;
            var options = provider.GetRequiredService<PowerOptions>();
            return new EnergySampler(PowerMeters.Discover(options, time, root), options, time, new BoardSensors(root).ReadBusySeconds,
                provider.GetRequiredService<ILogger<EnergySampler>>(), provider.GetService<LoopTicks>());
        });
        services.AddHostedService(provider => provider.GetRequiredService<EnergySampler>());
        return services;
    }
}
