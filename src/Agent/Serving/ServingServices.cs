using Dunlin.Agent.Children;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Energy;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Sandboxing;
using Dunlin.Agent.Updates;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Updates;
using Dunlin.Runtime.Racing;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Serving;

/// <summary>Registers what makes the device classify.</summary>
internal static class ServingServices
{
    public static void AddServing(this IServiceCollection services)
    {
        services.AddSingleton(provider => provider.GetRequiredService<DeviceOptions>().Layout());
        services.AddSingleton<StateFiles>();
        services.AddSingleton(provider => new ModelCache(provider.GetRequiredService<StateLayout>().Cache));
        services.AddSingleton(provider => ChildHost.Self(Path.Combine(provider.GetRequiredService<StateLayout>().Root, "empty")));
        services.AddSingleton<HeatRunner>();
        services.AddSingleton(_ => BoardFacts.Read());
        services.AddSingleton<Func<BoardFacts>>(_ => () => BoardFacts.Read());
        services.AddSingleton<IdlePower>();
        services.AddSingleton<Quarantined>();
        services.AddSingleton<Vetting>();
        services.AddSingleton(provider => EnergyProbe.Of(provider.GetRequiredService<PowerOptions>(), provider.GetRequiredService<EnergySampler>()));
        services.AddSingleton<Race>();
        services.AddSingleton(provider => new VerdictStore(provider.GetRequiredService<StateLayout>().Verdicts, provider.GetRequiredService<ILogger<VerdictStore>>()));
        services.AddSingleton<ReleaseGate>();
        services.AddSingleton<WindowReport>();
        services.AddSingleton<DeviceReport>();
        services.AddSingleton<ResultPublisher>();
        services.AddSingleton(PartsOf);
        services.AddSingleton<ServingService>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<WindowService>(provider, (Action<TelemetryWindow>)provider.GetRequiredService<ServingService>().Observe));
        services.AddHostedService(provider => provider.GetRequiredService<WindowService>());
        services.AddHostedService(provider => provider.GetRequiredService<ServingService>());
    }

    private static ServingParts PartsOf(IServiceProvider provider) => new()
    {
        Gate = provider.GetRequiredService<ReleaseGate>(),
        Race = provider.GetRequiredService<Race>(),
        Vetting = provider.GetRequiredService<Vetting>(),
        Verdicts = provider.GetRequiredService<VerdictStore>(),
        Idle = provider.GetRequiredService<IdlePower>(),
        Trial = provider.GetRequiredService<TrialWatch>(),
        CreateSeat = (renew, stopping) => SeatOf(provider, renew, stopping),
    };

    private static WorkerSeat SeatOf(IServiceProvider provider, RenewSession renew, CancellationToken stopping)
    {
        var host = provider.GetRequiredService<ChildHost>();
        var loggers = provider.GetRequiredService<ILoggerFactory>();
        var time = provider.GetRequiredService<TimeProvider>();
        var report = provider.GetRequiredService<DeviceReport>();
        var windows = provider.GetRequiredService<WindowService>();
        var results = provider.GetRequiredService<ResultPublisher>();
        var trial = provider.GetRequiredService<TrialWatch>();
        var program = new CameraProgramWatch(problem => report.SetProblem("camera program", problem), report.CameraReconnected, time);
        var camera = new CameraFeed(provider.GetRequiredService<CameraOptions>(), host, loggers, time)
        {
            Closed = exit => program.Ended(exit.Reason),
        };
        WorkerSupervisor supervisor = null!;
        var events = new WorkerEvents
        {
            Ready = ready =>
            {
                report.WorkerStarted();
                var missing = camera.MissingSandbox(ready, Landlock.Abi());
                report.SetProblem("sandbox", missing.Count == 0 ? null : string.Join(" ", missing));
            },
            Loaded = loaded => report.WorkerLoaded(loaded.Contender),
            Result = results.Publish,
            Window = (session, window) =>
            {
                windows.Observe(session, window, supervisor.ProcessId);
                program.Observe(window);
                report.SetCamera(window.Camera);
                report.SetFrames(window);
                trial.Observe(session, window);
                supervisor.SetWindow(trial.WindowLength);
            },
            Camera = health =>
            {
                camera.Observe(health);
                program.Observe(health);
                report.SetCamera(health);
            },
            Exited = exit =>
            {
                report.WorkerExited(exit);
                trial.Observe(exit);
            },
        };
        supervisor = new WorkerSupervisor(host, new WorkerLimits(), events, loggers.CreateLogger<WorkerSupervisor>(), time);
        var loop = WorkerSeat.LoopOf(provider.GetRequiredService<ResultOptions>(), provider.GetRequiredService<RaceOptions>(), provider.GetRequiredService<TelemetryOptions>());
        return new WorkerSeat(supervisor, camera, loop, provider.GetRequiredService<ModelCache>().Root, renew, stopping);
    }
}
