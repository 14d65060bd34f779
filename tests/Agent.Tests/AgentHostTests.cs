using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Agent.Tests;

public sealed class AgentHostTests
{
    [Fact]
    public async Task AFaultedServiceMakesTheProcessExitNonZero() => Assert.Equal(1, await RunAsync<Faulting>(CancellationToken.None));

    [Theory]
    [InlineData(200)]
    [InlineData(0)]
    public async Task BeingStoppedIsNoFaultNotEvenBeforeAllHasStarted(int milliseconds)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal(0, await RunAsync<Waiting>(stop.Token));
    }

    private static async Task<int> RunAsync<T>(CancellationToken cancellationToken)
        where T : BackgroundService
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddHostedService<T>();
        return await AgentHost.RunToTheEndAsync(builder.Build(), cancellationToken);
    }

    private sealed class Faulting : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("A bug.");
        }
    }

    private sealed class Waiting : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
