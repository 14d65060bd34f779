using System.CommandLine;
using Dunlin.Fleet.DemoBroker;
using Dunlin.Fleet.Publishing;
using Dunlin.Fleet.Pushing;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;
using Dunlin.Fleet.Watching;

namespace Dunlin.Fleet;

/// <summary>The command line of <c>dunlin-fleet</c>.</summary>
internal static class FleetCommand
{
    public static RootCommand Create() => new("Watches and runs a fleet of Dunlin devices over MQTT.")
    {
        KeysCommand.Create(), SignCommand.Create(), PublishCommand.Create(), PushCommand.Create(), ServeCommand.Create(), FreshCommand.Create(),
        WatchCommand.Create(), BrokerCommand.Create(),
    };
}
