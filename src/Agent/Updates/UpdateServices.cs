using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Serving;
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
        services.AddSingleton(provider => new TrustedClock(provider.GetRequiredService<TimeProvider>(), AgentVersion.BuildTime, TrustedClock.IsKernelSynchronized));
        services.AddSingleton<ReleaseStore>();
        services.AddSingleton(provider => new TrustState(
            provider.GetRequiredService<StateFiles>(), provider.GetRequiredService<LinkIdentity>().Topics, provider.GetRequiredService<TrustedClock>(),
            provider.GetRequiredService<ILogger<TrustState>>()));
        services.AddSingleton(provider => new UpdateRecords(
            provider.GetRequiredService<StateFiles>(), (outcome, settle) => provider.GetRequiredService<MessagePublisher>().Publish(outcome, settle),
            provider.GetRequiredService<LinkIdentity>(), provider.GetRequiredService<MessageSequence>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<BootRecovery>();
        services.AddSingleton<TrialWatch>();
        services.AddSingleton<BoardProof>();
        services.AddSingleton(PartsOf);
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<UpdateSteps>(provider, ServingServices.Value<UpdateOptions>(provider)));
        services.AddSingleton<UpdateEngine>();
        services.AddSingleton<UpdateService>();
        services.AddHostedService(provider => provider.GetRequiredService<UpdateService>());
    }

    private static UpdateParts PartsOf(IServiceProvider provider)
    {
        var proof = provider.GetRequiredService<BoardProof>();
        var fetcher = provider.GetRequiredService<Fetching.ArtifactFetcher>();
        var clock = provider.GetRequiredService<TrustedClock>();
        fetcher.TrustedNow = () => clock.ForTls;
        return new UpdateParts
        {
            Fetch = async (blobs, sources, tell, cancellationToken) =>
            {
                var result = await fetcher.FetchAsync(
                    blobs, sources, progress => tell(progress.TotalByteCount == 0 ? 1 : (double)progress.StoredByteCount / progress.TotalByteCount, progress.Problem), cancellationToken);
                return result.IsSuccess ? null : new UpdateFailure(result.Code!, result.Detail!);
            },
            Check = proof.CheckAsync,
            Race = proof.RaceAsync,
            FindVerdict = proof.FindVerdict,
            Switch = (release, verdict, cancellationToken) => provider.GetRequiredService<ServingService>().SwitchAsync(release, verdict, cancellationToken),
            Gate = provider.GetRequiredService<ReleaseGate>(),
            Releases = provider.GetRequiredService<ReleaseStore>(),
            Blobs = provider.GetRequiredService<BlobStore>(),
            Quarantine = provider.GetRequiredService<Quarantined>(),
            Trial = provider.GetRequiredService<TrialWatch>(),
            WindowInterval = TimeSpan.FromSeconds(ServingServices.Value<TelemetryOptions>(provider).WindowSeconds),
            QueuedOutcomeCount = () => provider.GetRequiredService<MessagePublisher>().QueuedOutcomeCount,
            Now = () => clock.Now,
            CollectCache = kept => proof.CollectCache(kept, ServingServices.Value<DeviceOptions>(provider).Bundle),
        };
    }
}
