using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Bundles.State;
using Dunlin.Bundles.Store;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Outbox;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Updates;

/// <summary>Registers what brings new releases to the device.</summary>
internal static class UpdateServices
{
    public static void AddUpdates(this IServiceCollection services)
    {
        services.AddSingleton(provider => TrustedClock.OfBoard(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ReleaseStore>();
        services.AddSingleton(provider => new TrustState(
            provider.GetRequiredService<StateFiles>(), provider.GetRequiredService<LinkIdentity>().Topics, provider.GetRequiredService<TrustedClock>(),
            provider.GetRequiredService<ILogger<TrustState>>()));
        services.AddSingleton(provider => new UpdateRecords(
            provider.GetRequiredService<StateFiles>(), provider.GetRequiredService<MessageOutbox>(),
            provider.GetRequiredService<LinkIdentity>(), provider.GetRequiredService<MessageSequence>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<BootRecovery>();
        services.AddSingleton(provider => new TrialWatch(
            provider.GetRequiredService<TimeProvider>(), TimeSpan.FromSeconds(provider.GetRequiredService<TelemetryOptions>().WindowSeconds),
            provider.GetRequiredService<CameraOptions>().FramesPerSecond));
        services.AddSingleton<FreezeWatch>();
        services.AddSingleton<UpdateStory>();
        services.AddSingleton<DocumentDesk>();
        services.AddSingleton(PartsOf);
        services.AddSingleton<UpdateSteps>();
        services.AddSingleton<UpdateEngine>();
        services.AddSingleton<UpdateService>();
        services.AddHostedService(provider => provider.GetRequiredService<UpdateService>());
    }

    private static UpdateParts PartsOf(IServiceProvider provider)
    {
        var fetcher = provider.GetRequiredService<ArtifactFetcher>();
        var clock = provider.GetRequiredService<TrustedClock>();
        fetcher.TrustedNow = () => clock.ForTls;
        return new UpdateParts
        {
            Fetch = fetcher.FetchAsync,
            Switch = provider.GetRequiredService<ServingService>().SwitchAsync,
            Proof = ActivatorUtilities.CreateInstance<BoardProof>(provider),
            Gate = provider.GetRequiredService<ReleaseGate>(),
            Releases = provider.GetRequiredService<ReleaseStore>(),
            Blobs = provider.GetRequiredService<BlobStore>(),
            Quarantine = provider.GetRequiredService<Quarantined>(),
            Trial = provider.GetRequiredService<TrialWatch>(),
        };
    }
}
