using Dunlin.Agent.Configuration;
using Dunlin.Agent.RemoteCommands;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Systemd;
using Dunlin.Agent.Updates;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Bundles.Durability;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Outbox;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Serilog;
using Serilog.Core;

namespace Dunlin.Agent;

/// <summary>The service: what <c>dunlin-agent run</c> is made of, and how it ends.</summary>
internal static partial class AgentHost
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(1.8);

    /// <returns>0 when stopped, 1 when a service has failed, so that systemd starts the agent again.</returns>
    /// <exception cref="ConfigurationException">The configuration is not as it must be.</exception>
    public static async Task<int> RunAsync(string? file, IReadOnlyList<string> settings, CancellationToken cancellationToken)
    {
        var options = AgentOptions.Load(file, settings);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        Register(builder.Services, options);
        using var host = builder.Build();
        Prepare(host.Services);
        using var held = AgentLock.TryTake(host.Services.GetRequiredService<StateLayout>());
        var records = host.Services.GetRequiredService<UpdateRecords>();
        return await RunToTheEndAsync(host, () => EndInOrder(records), cancellationToken);
    }

    private static void EndInOrder(UpdateRecords records)
    {
        try
        {
            records.ForgetStart();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // This start counts, which is safe.
        }
    }

    /// <summary>.NET's host ends as if all were well when a background service has faulted; systemd would then not start the agent again.</summary>
    /// <param name="host">Disposed of.</param>
    /// <param name="ended">Called where a person or the system stopped it and each service has ended well; not where one has failed or hangs.</param>
    /// <param name="cancellationToken">The wish to stop.</param>
    internal static async Task<int> RunToTheEndAsync(IHost host, Action ended, CancellationToken cancellationToken)
    {
        var services = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
        try
        {
            await host.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped before all services had started.
        }

        if (services.Any(service => service.ExecuteTask?.IsFaulted == true)) return 1;
        if (cancellationToken.IsCancellationRequested && services.All(service => service.ExecuteTask?.IsCompleted != false)) ended();
        return 0;
    }

    private static void Register(IServiceCollection services, AgentOptions options)
    {
        options.AddTo(services);
        services.AddSingleton(Logging.LevelOf(options.Logging));
        services.AddSerilog((provider, logger) => Logging.Configure(logger, options.Logging, provider.GetRequiredService<LoggingLevelSwitch>()));
        services.Configure<HostOptions>(hosting => hosting.ShutdownTimeout = StopTime);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<LoopTicks>();
        services.AddSingleton<ServiceStatusText>();
        services.AddSingleton<ISystemdNotifier, SystemdNotifier>();
        services.AddSingleton(IdentityOf);
        services.AddSingleton<MessageSequence>();
        services.AddPower();
        services.AddMqttLink();
        services.AddOutbox();
        services.AddSingleton(provider => DirectoriesOf(provider.GetRequiredService<StateLayout>()));
        services.AddRemoteCommands();
        services.AddServing();
        services.AddFetching();
        services.AddUpdates();
        services.AddHostedService<HealthService>();
        services.AddHostedService<SystemdService>();
    }

    private static LinkIdentity IdentityOf(IServiceProvider provider)
    {
        var device = provider.GetRequiredService<DeviceOptions>();
        return new LinkIdentity(
            new Topics(device.Fleet, device.Id), Guid.NewGuid().ToString("N")[..16], AgentVersion.Text, provider.GetRequiredService<BoardSensors>().ReadHardware());
    }

    private static OutboxDirectories DirectoriesOf(StateLayout layout) => new(layout.Outcomes, layout.Telemetry);

    /// <summary>What must be true before the first service starts.</summary>
    private static void Prepare(IServiceProvider provider)
    {
        var layout = provider.GetRequiredService<StateLayout>();
        try
        {
            DurableFile.CreateDirectory(layout.Root);
            if (StateAccess.IsForbidden(layout.Root)) throw new UnauthorizedAccessException("This user may not write there.");
            provider.GetRequiredService<BootRecovery>().Run();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"Device:StateDirectory '{layout.Root}' cannot be used: {e.Message} Create it for the user that runs the agent, or name another.");
        }

        CameraFeed.SourceOf(provider.GetRequiredService<CameraOptions>());
        RemoteCommandServices.Register(provider);
        Sandboxing.Sandbox.ProtectSupervisor();
    }
}
