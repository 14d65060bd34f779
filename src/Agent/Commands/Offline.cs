using Dunlin.Agent.Children;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Serving;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Updates;
using Dunlin.Runtime.Racing;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Commands;

/// <summary>What <c>race</c>, <c>classify</c> and <c>check</c> need of the service: heats over a bundle, with a state of their own that is gone afterwards.</summary>
internal sealed class Offline : IDisposable
{
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("dunlin-");
    private readonly ILoggerFactory _loggers = LoggerFactory.Create(_ => { });

    public Offline()
    {
        var layout = new StateLayout(_state.FullName);
        Cache = new ModelCache(layout.Cache);
        Cache.Recover();
        Board = BoardFacts.Read();
        Quarantine = new Quarantined(new StateFiles(layout), _loggers.CreateLogger<Quarantined>());
        Host = ChildHost.Self(Path.Combine(layout.Root, "empty"));
        Heats = new HeatRunner(Host, _loggers.CreateLogger<HeatRunner>(), TimeProvider.System);
        Vetting = new Vetting(Heats, Cache, Quarantine, Board, TimeProvider.System);
    }

    public ModelCache Cache { get; }
    public BoardFacts Board { get; }
    public Quarantined Quarantine { get; }
    public ChildHost Host { get; }
    public HeatRunner Heats { get; }
    public Vetting Vetting { get; }

    public Race CreateRace(RaceOptions options, EnergyProbe energy) => new(Heats, Vetting, Quarantine, () => Board, options, energy, TimeProvider.System);

    /// <exception cref="CommandException">It is no bundle, or a broken one.</exception>
    public static Bundle OpenBundle(string? path, DeviceOptions device)
    {
        path = string.IsNullOrEmpty(path) ? device.Bundle : path;
        if (path.Length == 0) throw new CommandException("There is no bundle; name one with --bundle, or set Device:Bundle.");
        try
        {
            return Bundle.Open(path, BundleCheck.Contents);
        }
        catch (Exception e) when (e is BundleException or IOException or UnauthorizedAccessException)
        {
            throw new CommandException(e.Message);
        }
    }

    public void Dispose()
    {
        _state.Delete(recursive: true);
        _loggers.Dispose();
    }
}

/// <summary>A command cannot do what was asked; the message is for the person who typed it. Exit code 1.</summary>
internal sealed class CommandException(string message) : Exception(message);
