using System.CommandLine;
using Dunlin.Fleet.DemoBroker;
using Dunlin.Fleet.Signing;
using Dunlin.Fleet.Watching;

var root = new RootCommand("Watches and runs a fleet of Dunlin devices over MQTT.")
{
    BrokerCommand.Create(), WatchCommand.Create(), KeysCommand.Create(), SignCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
