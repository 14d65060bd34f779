using System.CommandLine;
using Dunlin.Fleet.Commanding;
using Dunlin.Fleet.DemoBroker;
using Dunlin.Fleet.Enrolment;
using Dunlin.Fleet.Publishing;
using Dunlin.Fleet.Pushing;
using Dunlin.Fleet.Rotating;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;
using Dunlin.Fleet.Watching;

namespace Dunlin.Fleet;

/// <summary>The command line of <c>dunlin-fleet</c>.</summary>
internal static class FleetCommand
{
    public static RootCommand Create() => new("Watches and runs a fleet of Dunlin devices over MQTT.")
    {
        KeysCommand.Create(), EnrolBrokerCommand.Create(), EnrolCommand.Create(), SignCommand.Create(), PublishCommand.Create(), PushCommand.Create(),
        RevokeCommand.Create(), RotateRootCommand.Create(), FreshCommand.Create(), ServeCommand.Create(), WatchCommand.Create(), DeviceCommand.Create(),
        BrokerCommand.Create(),
    };
}
