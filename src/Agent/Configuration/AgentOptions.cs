using System.Diagnostics.CodeAnalysis;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Link;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.Agent.Configuration;

/// <summary>All validated options, for commands that run without the service.</summary>
internal sealed class AgentOptions(IServiceProvider provider)
{
    /// <exception cref="ConfigurationException">Something is not as it must be.</exception>
    public static AgentOptions Load(string? file, IReadOnlyList<string> settings)
    {
        var configuration = AgentConfiguration.Load(file, settings);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddAgentOptions(configuration);
        services.AddMqttOptions(configuration.GetSection("Mqtt"));
        services.AddPowerOptions();
        var provider = services.BuildServiceProvider();
        AgentConfiguration.Validate(provider, configuration);
        return new AgentOptions(provider);
    }

    public T Get<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>()
        where T : class => provider.GetRequiredService<IOptions<T>>().Value;
}
