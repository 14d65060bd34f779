using Dunlin.Agent.Cameras;
using Dunlin.Agent.Children;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Sandboxing;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Serving;

/// <summary>The camera of the configuration: opened by the worker itself, or a process of ours that writes into a pipe.</summary>
internal sealed class CameraFeed : IAsyncDisposable
{
    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(15);

    private readonly CameraSupervisor? _process;

    /// <exception cref="ConfigurationException">The source is none.</exception>
    public CameraFeed(CameraOptions options, ChildHost host, ILoggerFactory loggers, TimeProvider time)
    {
        var source = SourceOf(options);
        if (CameraProcess.For(source, options) is { } program)
            _process = new CameraSupervisor(host, program, PatienceOf(options), loggers.CreateLogger<CameraSupervisor>(), time);
        Spec = source.ToSpec(options, _process is null ? null : ChildDescriptors.Camera) with { Unpaced = options.Unpaced };
    }

    /// <summary>What the worker is told.</summary>
    public CameraSpec Spec { get; }

    /// <summary>The pipe's read end, for the worker; null where it opens the camera itself.</summary>
    public int? Pipe => _process?.ReadDescriptor;

    public static CameraSource SourceOf(CameraOptions options) =>
        CameraSource.TryParse(options.Source, out var source, out var error) ? source : throw new ConfigurationException($"Camera:Source: {error}");

    /// <summary>Called with the reason whenever the camera process has ended.</summary>
    public Action<ChildExit>? Closed { get; init; }

    /// <summary>Keeps the camera process running until cancelled; returns at once where there is none.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        _process?.RunAsync(Closed, cancellationToken) ?? Task.CompletedTask;

    /// <summary>What the kernel lacks of the worker's sandbox, as that says, and of the camera program's, which says nothing.</summary>
    /// <param name="ready">The worker's greeting.</param>
    /// <param name="landlockAbi">Of <see cref="Landlock.Abi"/>.</param>
    public IReadOnlyList<string> MissingSandbox(Ready ready, int landlockAbi) =>
        _process is null ? ready.MissingSandbox : [.. ready.MissingSandbox.Union(Landlock.Missing(landlockAbi, foreign: true))];

    /// <summary>What the worker sees: a process that runs without delivering is started anew.</summary>
    public void Observe(CameraHealth health) => _process?.Observe(health);

    private static TimeSpan PatienceOf(CameraOptions options)
    {
        var stall = TimeSpan.FromMilliseconds(options.StallMilliseconds);
        return stall > LeastPatience ? stall : LeastPatience;
    }

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;
}
