using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.Telemetry;

/// <summary>Options for a program that is compiled ahead of time.</summary>
public static class ClosedOptions
{
    /// <summary>
    /// As <see cref="OptionsServiceCollectionExtensions.AddOptions{TOptions}(IServiceCollection)"/>, with the generic services named for this type: open ones would be made
    /// into types while the program starts.
    /// </summary>
    public static OptionsBuilder<T> AddClosedOptions<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>(this IServiceCollection services)
        where T : class
    {
        services.AddSingleton<IOptions<T>, OptionsManager<T>>();
        services.AddSingleton<IOptionsMonitor<T>, OptionsMonitor<T>>();
        services.AddSingleton<IOptionsMonitorCache<T>, OptionsCache<T>>();
        services.AddTransient<IOptionsFactory<T>, OptionsFactory<T>>();
        return services.AddOptions<T>();
    }
}
