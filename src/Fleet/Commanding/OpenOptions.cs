using System.CommandLine;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;

namespace Dunlin.Fleet.Commanding;

/// <summary>Fleet and broker, for verbs that nobody signs: a key folder may be named, and need not be there.</summary>
internal sealed class OpenOptions
{
    private readonly Option<string?> _fleet = new("--fleet") { Description = "The fleet; default: that of --keys, or 'default'." };
    private readonly Option<DirectoryInfo?> _keys = new("--keys") { Description = "The fleet's key folder: with --tls, its authority and the operator's certificate in it are taken." };
    private readonly BrokerOptions _broker = new();

    public void AddTo(System.CommandLine.Command command)
    {
        _fleet.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } name && !DeviceName.IsValid(name)) result.AddError($"--fleet must match {DeviceName.Rule}.");
        });
        command.Add(_fleet);
        command.Add(_keys);
        _broker.AddTo(command);
    }

    /// <exception cref="FleetException">The fleet is to be that of --keys, and there is no root.</exception>
    public (MqttOptions Broker, string Fleet) Of(ParseResult arguments)
    {
        var keys = arguments.GetValue(_keys)?.FullName;
        return (_broker.Of(arguments, keys), arguments.GetValue(_fleet) ?? (keys is null ? "default" : KeyFolder.Open(keys).Root.Fleet));
    }
}
