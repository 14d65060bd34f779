using System.CommandLine;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;
using Microsoft.Extensions.Logging;

namespace Dunlin.Fleet.Connecting;

/// <summary>The options of verbs that act for the fleet: its keys, its database, its broker.</summary>
internal sealed class FleetOptions
{
    private readonly Option<DirectoryInfo> _keys = SignCommand.KeysOption();
    private readonly Option<DirectoryInfo?> _state = new("--state") { Description = "The folder of the fleet's database; default: the folder 'state' of --keys." };
    private readonly BrokerOptions _broker = new();

    public void AddTo(Command command)
    {
        command.Add(_keys);
        command.Add(_state);
        _broker.AddTo(command);
        command.Add(Passphrase.NewOption());
        command.Add(Speaker.NewJsonOption());
    }

    public bool HasBroker(ParseResult arguments) => _broker.IsGiven(arguments);

    public FleetSetup Of(ParseResult arguments)
    {
        var keys = arguments.GetValue(_keys)!.FullName;
        return new FleetSetup(keys, arguments.GetValue(_state)?.FullName ?? Path.Combine(keys, FleetSetup.StateFolder), _broker.Of(arguments, keys), Passphrase.Of(arguments), TimeProvider.System);
    }
}

/// <summary>Where a fleet's things are.</summary>
internal sealed record FleetSetup(string Keys, string State, MqttOptions Broker, Passphrase Passphrase, TimeProvider Time)
{
    public const string StateFolder = "state";

    public KeyFolder OpenKeys() => KeyFolder.Open(Keys);

    public Ledger OpenLedger() => Ledger.Open(State);

    /// <summary>The online keys are read only if this process has to be the writer.</summary>
    public Writer NewWriter(Ledger ledger, ILogger logger) => new(State, () => NewServer(ledger, logger), Time);

    public FleetServer NewServer(Ledger ledger, ILogger logger)
    {
        var keys = new ServerKeys(OpenKeys(), Passphrase);
        return new FleetServer(keys, ledger, new PublishedBlobs(State), Broker, ClientId("serve"), Time, logger);
    }

    public BrokerLink NewLink(string verb, IReadOnlyList<string> filters) => new(Broker, ClientId(verb), filters, Time);

    internal static string ClientId(string verb) => $"dunlin-fleet-{verb}-{Guid.NewGuid().ToString("N")[..12]}";
}
