using Proto;

namespace Programs;

/// <summary>Behaviours: become, become stacked, unbecome.</summary>
public static class LightBulb
{
    public static async Task RunAsync(TextWriter output)
    {
        await using var system = new ActorSystem();
        var context = new RootContext(system);
        var pid = context.Spawn(Props.FromProducer(() => new Bulb()));

        foreach (var message in new object[] { new Touch(), new PressSwitch(), new Touch(), new PressSwitch(), new Touch(), new HitWithHammer(), new PressSwitch(), new Touch(), new Mend(), new Touch() })
        {
            await output.WriteLineAsync($"{message.GetType().Name}: {await context.RequestAsync<string>(pid, message)}");
        }
    }

    private class PressSwitch;

    private class Touch;

    private class HitWithHammer;

    private class Mend;

    private class Bulb : IActor
    {
        private readonly Behavior _behavior;

        public Bulb()
        {
            _behavior = new Behavior();
            _behavior.Become(Off);
        }

        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case HitWithHammer:
                    context.Respond("Smashed!");
                    _behavior.BecomeStacked(Smashed);
                    return Task.CompletedTask;
            }

            return _behavior.ReceiveAsync(context);
        }

        private Task Off(IContext context)
        {
            switch (context.Message)
            {
                case PressSwitch:
                    context.Respond("Turning on");
                    _behavior.Become(On);
                    break;
                case Touch:
                    context.Respond("Cold");
                    break;
            }

            return Task.CompletedTask;
        }

        private Task On(IContext context)
        {
            switch (context.Message)
            {
                case PressSwitch:
                    context.Respond("Turning off");
                    _behavior.Become(Off);
                    break;
                case Touch:
                    context.Respond("Hot!");
                    break;
            }

            return Task.CompletedTask;
        }

        private Task Smashed(IContext context)
        {
            switch (context.Message)
            {
                case Mend:
                    context.Respond("As new");
                    _behavior.UnbecomeStacked();
                    break;
                case PressSwitch:
                    context.Respond("");
                    break;
                case Touch:
                    context.Respond("Owww!");
                    break;
            }

            return Task.CompletedTask;
        }
    }
}
