using Dunlin.Agent.Configuration;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Updates;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Agent.Updates.Fetching;

internal static class FetchingServices
{
    private const long Megabyte = 1_000_000;

    /// <summary>
    /// Registers <see cref="BlobStore"/> and <see cref="ArtifactFetcher"/>. The latter must be made before the link starts, as a hosted
    /// service that takes it does.
    /// </summary>
    public static IServiceCollection AddFetching(this IServiceCollection services)
    {
        services.AddSingleton(provider => new BlobStore(provider.GetRequiredService<StateLayout>(), provider.GetRequiredService<UpdateOptions>().DiskReserveMegabytes * Megabyte));
        services.AddSingleton(provider => LimitsOf(provider.GetRequiredService<UpdateOptions>()));
        services.AddSingleton<SourceFactory>();
        services.AddSingleton<BlobChannel>();
        services.AddSingleton<ArtifactFetcher>();
        return services;
    }

    private static FetchLimits LimitsOf(UpdateOptions options) => new()
    {
        MaximumByteCount = options.MaximumFetchMegabytes * Megabyte,
        TotalTime = TimeSpan.FromHours(options.MaximumFetchHours),
        Patience = TimeSpan.FromHours(options.FetchPatienceHours),
    };
}
